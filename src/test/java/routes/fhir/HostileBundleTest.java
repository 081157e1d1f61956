package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleEntryComponent;
import org.hl7.fhir.r4.model.Reference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import routes.HostileJson;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirModel;

/** Compares what the facade finds in damaged bundles with what HAPI's parser, the server's, reads in them. */
class HostileBundleTest {

    private static final int ROUNDS = 5_000;

    /** HAPI takes seconds for the longest. */
    private static final int LONGEST_COMPARED = 100_000;

    private static final String JSON =
            """
            {"resourceType":"Bundle","type":"transaction","entry":[
              {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"x","name":[{"family":"x"}]},
               "request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=a"}},
              {"resource":{"resourceType":"Observation","id":"5","status":"final","subject":{"reference":"Patient?name=a"},
                "contained":[{"resourceType":"Group","id":"g"}]},
               "request":{"method":"PUT","url":"Observation/5","ifMatch":"W/1"}},
              {"request":{"method":"DELETE","url":"Group/1"}},
              {"request":{"method":"GET","url":"Encounter?status=x"}},
              {"resource":{"resourceType":"Parameters"},"request":{"method":"PATCH","url":"Patient/7"}}]}""";

    private static final String XML =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Bundle xmlns="http://hl7.org/fhir"><type value="batch"/>
              <entry><resource><Patient><id value="x"/><name><family value="x"/></name></Patient></resource>
                <request><method value="POST"/><url value="Patient"/></request></entry>
              <entry><resource><Observation><id value="5"/><contained><Group><id value="g"/></Group></contained>
                <status value="final"/><subject><reference value="Patient?name=a"/></subject></Observation></resource>
                <request><method value="PUT"/><url value="Observation/5"/></request></entry>
              <entry><request><method value="DELETE"/><url value="Group/1"/></request></entry></Bundle>""";

    /** Pieces with a meaning for a parser; a mutant is likely to differ in one of them. */
    private static final List<String> PIECES = List.of(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\\u003f",
            "null",
            "0",
            "<",
            ">",
            "/>",
            "</",
            "&#63;",
            "&x;",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?x?>",
            "?",
            "/",
            "%2F",
            "#",
            " ",
            "\u0000",
            "\n",
            "é",
            "entry",
            "\"entry\":[",
            "\"request\":{",
            "\"resource\":{",
            "\"resourceType\":\"Group\",",
            "\"id\":\"9\",",
            "\"url\":\"Group/9\",",
            "\"method\":\"DELETE\",",
            "<entry>",
            "</entry>",
            "<request>",
            "<id value=\"9\"/>",
            "<method value=\"DELETE\"/>",
            "<url value=\"Group/9\"/>",
            "<Group>",
            "<resource>",
            "DELETE",
            "Patient?name=b",
            "Group");

    private static final FhirContext HAPI = new FhirModel().r4();

    private final FhirInteractionParser parser = FhirParsers.parser();
    private int compared;
    private int accepted;
    private int refused;

    @Test
    void readsDamagedValuesAsTheServerDoes() {
        HostileJson hostile = new HostileJson(16);

        for (int i = 0; i < ROUNDS; i++) {
            check(FhirFormat.JSON, hostile.of(JSON));
        }

        assertThat(compared).isGreaterThan(ROUNDS / 10);
        assertThat(refused).isGreaterThan(ROUNDS / 10);
    }

    @ParameterizedTest
    @EnumSource(names = {"JSON", "XML"})
    void readsDamagedTextAsTheServerDoes(FhirFormat format) {
        Random random = new Random(17);

        for (int i = 0; i < ROUNDS; i++) {
            StringBuilder text = new StringBuilder(format == FhirFormat.JSON ? JSON : XML);
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                change(text, random);
            }
            check(format, text.toString().getBytes(StandardCharsets.UTF_8));
        }

        assertThat(compared).isGreaterThan(ROUNDS / 50);
        assertThat(refused).isGreaterThan(ROUNDS / 10);
    }

    @Test
    void refusesDamagedBytesWithAProblemAlone() {
        Random random = new Random(18);
        for (int i = 0; i < ROUNDS; i++) {
            FhirFormat format = FhirFormat.values()[random.nextInt(FhirFormat.values().length)];
            byte[] body = (random.nextBoolean() ? JSON : XML).getBytes(StandardCharsets.UTF_8);
            for (int changes = random.nextInt(4); changes > 0; changes--) {
                body[random.nextInt(body.length)] = (byte) random.nextInt(256);
            }
            String method = List.of("POST", "PUT", "PATCH", "DELETE", "GET").get(random.nextInt(5));
            String url = List.of("", "Bundle", "Bundle/1", "Bundle?_id=1", "Bundle/_search", "Bundle/$validate")
                    .get(random.nextInt(6));
            parse(method, url, format, body);
        }

        assertThat(refused).isGreaterThan(ROUNDS / 10);
    }

    @Test
    void refusesDamagedQueriesWithAProblemAlone() {
        Random random = new Random(19);
        List<String> pieces = List.of(
                "_has:",
                "Observation",
                ":",
                ".",
                "subject",
                "Patient",
                "=",
                "&",
                ",",
                "%",
                "%2E",
                "%3A",
                "+",
                "_include",
                "_revinclude",
                "_sort",
                "-",
                "*",
                "_type",
                "name",
                "_getpages",
                ";",
                "?",
                "%C3%A9",
                "%ff",
                "__",
                "_");
        for (int i = 0; i < ROUNDS; i++) {
            StringBuilder query = new StringBuilder();
            for (int n = random.nextInt(12); n >= 0; n--) {
                query.append(pieces.get(random.nextInt(pieces.size())));
            }
            List<FhirInteraction> found = parse("GET", "Observation?" + query, FhirFormat.NONE, new byte[0]);
            assertThat(found)
                    .allSatisfy(one -> assertThat(one.needs()).contains(new FhirPermission('s', "Observation")));
        }

        assertThat(accepted).isGreaterThan(ROUNDS / 10);
        assertThat(refused).isGreaterThan(ROUNDS / 10);
    }

    private static void change(StringBuilder text, Random random) {
        int at = random.nextInt(text.length());
        int end = Math.min(text.length(), at + random.nextInt(12));
        switch (random.nextInt(4)) {
            case 0 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
            case 1 -> text.delete(at, end);
            case 2 -> text.replace(at, end, PIECES.get(random.nextInt(PIECES.size())));
            default -> {
                int length = Math.min(random.nextInt(200), text.length() - at);
                text.insert(random.nextInt(text.length()), text.substring(at, at + length));
            }
        }
    }

    private void check(FhirFormat format, byte[] body) {
        List<FhirInteraction> found = parse("POST", "", format, body);
        if (found.isEmpty() || body.length > LONGEST_COMPARED) {
            return;
        }
        String text = new String(body, StandardCharsets.UTF_8);
        List<BundleEntryComponent> entries = read(format, text);
        if (entries == null) {
            return;
        }
        assertThat(found.stream()
                        .map(one -> one.method() + " " + one.type() + " " + one.id())
                        .toList())
                .as(text)
                .isEqualTo(entries.stream().map(HostileBundleTest::read).toList());
        for (int i = 0; i < found.size(); i++) {
            assertThat(found.get(i).needs()).as(text).containsAll(searches(entries.get(i)));
        }
        compared++;
    }

    /** Returns nothing when the facade refuses. */
    private List<FhirInteraction> parse(String method, String url, FhirFormat format, byte[] body) {
        try {
            List<FhirInteraction> found = parser.parse(FhirParsers.head(method, url, format), body);
            accepted++;
            return found;
        } catch (ProblemException e) {
            refused++;
            assertThat(e.status()).isBetween(400, 415);
            return List.of();
        }
    }

    /** The entries as HAPI's parser reads them; null when it refuses the bundle. */
    private static List<BundleEntryComponent> read(FhirFormat format, String text) {
        IParser parser = format == FhirFormat.JSON ? HAPI.newJsonParser() : HAPI.newXmlParser();
        try {
            return parser.parseResource(Bundle.class, text).getEntry();
        } catch (RuntimeException e) {
            return null;
        }
    }

    private static String read(BundleEntryComponent entry) {
        String method = entry.getRequest().getMethodElement().getValueAsString();
        String[] url =
                String.valueOf(entry.getRequest().getUrl()).split("\\?", 2)[0].split("/");
        return method + " " + url[0] + " " + (url.length > 1 ? url[1] : null);
    }

    /** The searches that HAPI makes for the references of a resource. */
    private static List<FhirPermission> searches(BundleEntryComponent entry) {
        return entry.getResource() == null
                ? List.of()
                : HAPI.newTerser().getAllPopulatedChildElementsOfType(entry.getResource(), Reference.class).stream()
                        .map(one -> one.getReferenceElement().getValue())
                        .filter(text -> text != null && text.startsWith("Patient?name="))
                        .map(text -> new FhirPermission('s', "Patient"))
                        .toList();
    }
}
