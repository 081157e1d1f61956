package routes;

import static org.assertj.core.api.Assertions.assertThat;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.rest.api.EncodingEnum;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sends every request of docs/abuse.md and expects the answer of its row. */
class AbuseIT extends RuntimeIT {

    private static final String ID = "abuse-" + UUID.randomUUID();

    /** A value that no answer may repeat. */
    private static final String SECRET = "5ECRE7";

    /** The placeholder of the page for the token of a client. */
    private static final Pattern TOKEN = Pattern.compile("\\{token (\\w+)}");

    /** The request lines of the FHIR facade, in each spelling of its path. */
    private static final Pattern FHIR = Pattern.compile("\\S+ /(?:f|%66)hir(?:[/?;]|$)");

    private static final FhirContext R4 = FhirContext.forR4Cached();

    private static final Pattern CORRELATION_ID = Pattern.compile("(?im)^X-Correlation-Id: (\\S+)\r?$");

    static Stream<AbuseTable.Row> requests() {
        return AbuseTable.requests();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("requests")
    void answersAsThePageSays(AbuseTable.Row row) throws IOException {
        RawHttp.Answer answer = RawHttp.send(port(row), request(row));

        boolean isFhir = row.status() >= 400 && FHIR.matcher(row.line()).lookingAt();
        String all = answer.head() + "\n" + answer.body() + "\n" + (isFhir ? diagnostics(answer) : "");
        assertThat(answer.status()).as(all).isEqualTo(row.status());
        row.contains().forEach(text -> assertThat(all).contains(filled(text)));
        assertThat(all).doesNotContain(SECRET).doesNotContain("\tat ");
        if (answer.status() >= 400 && !row.isManagement()) {
            assertThat(answer.head()).contains("Content-Type: application/" + (isFhir ? "fhir+" : "problem+json"));
            assertThat(CORRELATION_ID.matcher(answer.head()).results()).hasSize(1);
        }
    }

    /** The texts of an OperationOutcome; fails when the body is none. */
    private static String diagnostics(RawHttp.Answer answer) {
        OperationOutcome outcome = EncodingEnum.detectEncoding(answer.body())
                .newParser(R4)
                .setParserErrorHandler(new StrictErrorHandler())
                .parseResource(OperationOutcome.class, answer.body());
        assertThat(outcome.getIssue())
                .isNotEmpty()
                .allMatch(issue -> issue.hasSeverity() && issue.hasCode() && issue.hasDiagnostics());
        return outcome.getIssue().stream()
                .map(OperationOutcome.OperationOutcomeIssueComponent::getDiagnostics)
                .collect(Collectors.joining("\n"));
    }

    @AfterAll
    static void publishesNothing() {
        for (String topic : List.of("medication.commands", "medication.prescription.created", "patient.events")) {
            assertThat(records(topic))
                    .filteredOn(record -> record.value() != null)
                    .extracting(record -> new String(record.value(), StandardCharsets.UTF_8))
                    .noneMatch(record -> record.contains(SECRET));
        }
    }

    private int port(AbuseTable.Row row) {
        return row.isManagement() ? managementUri("/").getPort() : uri("/").getPort();
    }

    private byte[] request(AbuseTable.Row row) {
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.put("Host", "localhost");
        headers.put("Connection", "close");
        headers.put("Authorization", TOKENS.sandbox());
        if (row.body().length > 0) {
            headers.put("Content-Type", "application/json");
            headers.put("Content-Length", String.valueOf(row.body().length));
        }
        headers.putAll(row.headers());
        Map<String, String> sent = new LinkedHashMap<>();
        headers.forEach((name, value) -> {
            if (!value.isEmpty()) {
                sent.put(name, filled(value));
            }
        });
        StringBuilder lines = new StringBuilder();
        sent.forEach(
                (name, value) -> lines.append(name).append(": ").append(value).append("\r\n"));
        byte[] body = new String(row.body(), StandardCharsets.ISO_8859_1).contains("{id}")
                ? bytes(filled(text(row.body())))
                : row.body();
        if (body != row.body()) {
            lines.replace(
                    0,
                    lines.length(),
                    lines.toString().replaceFirst("(?i)content-length: \\d+", "Content-Length: " + body.length));
        }
        return RawHttp.request(filled(row.line()), lines.toString(), body);
    }

    private static String filled(String text) {
        return TOKEN.matcher(text.replace("{id}", ID)).replaceAll(token -> TOKENS.of(token.group(1)));
    }
}
