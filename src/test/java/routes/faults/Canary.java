package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Texts that stand for the data of a patient, and the search for them where they must not be. */
final class Canary {

    static final String NAME = "Zebulonsson";
    static final String IDENTIFIER = "zq77x4242";
    static final String STREET = "Quagmirehollow";

    private Canary() {}

    /** Builds a Patient in JSON. */
    static String patient(String id) {
        return """
                {"resourceType": "Patient", "id": "%s", "identifier": [{"system": "urn:canary", "value": "%s"}], \
                "name": [{"family": "%s"}], "address": [{"line": ["%s 7"]}]}"""
                .formatted(id, IDENTIFIER, NAME, STREET);
    }

    /** Builds the same in XML. */
    static String patientInXml(String id) {
        return """
                <Patient xmlns="http://hl7.org/fhir"><id value="%s"/>\
                <identifier><system value="urn:canary"/><value value="%s"/></identifier>\
                <name><family value="%s"/></name><address><line value="%s 7"/></address></Patient>"""
                .formatted(id, IDENTIFIER, NAME, STREET);
    }

    /** Fails when a text has a part of the canary. */
    static void requireNoneIn(String place, CharSequence text) {
        String lower = text.toString().toLowerCase(Locale.ROOT);
        assertThat(lower).as(place).doesNotContain(texts().toArray(CharSequence[]::new));
    }

    /** Searches every column of every table of the runtime. */
    static void requireNoneIn(JdbcClient jdbc) {
        List<String> tables = jdbc.sql(
                        "select table_name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'")
                .query(String.class)
                .list();
        assertThat(tables).contains("fhir_intent", "fhir_outcome");
        for (String table : tables) {
            assertThat(jdbc.sql("select count(*) from \"" + table + "\" row where row::text ilike any (:texts)")
                            .param(
                                    "texts",
                                    texts().map(text -> "%" + text + "%").toArray(String[]::new))
                            .query(Long.class)
                            .single())
                    .as("rows of " + table)
                    .isZero();
        }
    }

    private static Stream<String> texts() {
        return Stream.of(NAME, IDENTIFIER, STREET).map(text -> text.toLowerCase(Locale.ROOT));
    }
}
