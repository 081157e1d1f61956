package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.fhir.AnsweredResource.Entry;

class AnsweredResourceTest {

    private static final String JSON =
            """
            {
              "entry": [
                {
                  "response": {
                    "outcome": {
                      "issue": [
                        {"severity": "information", "details": {"coding": [{"system": "s", "code": "SUCCESSFUL_CREATE"}]}},
                        {"details": {"coding": [{"code": "OTHER"}]}}
                      ],
                      "resourceType": "OperationOutcome"
                    },
                    "location": "Patient/1/_history/1",
                    "etag": "1",
                    "status": "201 Created"
                  }
                },
                {
                  "fullUrl": "urn:uuid:1",
                  "resource": {
                    "resourceType": "Bundle",
                    "meta": {"versionId": "2", "source": "https://clinic.example#abc", "tag": [{"code": "t"}]},
                    "entry": [{"response": {"status": "201", "location": "Patient/9/_history/9"}}]
                  },
                  "response": {"status": "200 OK", "location": "Bundle/2/_history/2"}
                },
                {}
              ],
              "resourceType": "Bundle"
            }""";

    private static final String XML =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- a comment -->
            <Bundle xmlns="http://hl7.org/fhir">
              <id value="b"/>
              <entry>
                <response>
                  <status value="201 Created"/>
                  <location value="Patient/1/_history/1"/>
                  <etag value="1"/>
                  <outcome>
                    <OperationOutcome xmlns="http://hl7.org/fhir">
                      <text><div xmlns="http://www.w3.org/1999/xhtml"><p>text &amp; more</p></div></text>
                      <issue><severity value="information"/><details><coding><code value="SUCCESSFUL_CREATE"/></coding></details></issue>
                      <issue><details><coding><code value="OTHER"/></coding></details></issue>
                    </OperationOutcome>
                  </outcome>
                </response>
              </entry>
              <entry>
                <fullUrl value="urn:uuid:1"/>
                <resource>
                  <Bundle>
                    <meta><versionId value="2"/><source value="https://clinic.example#abc"/><tag><code value="t"/></tag></meta>
                    <entry><response><status value="201"/><location value="Patient/9/_history/9"/></response></entry>
                  </Bundle>
                </resource>
                <response><status value="200 OK"/><location value="Bundle/2/_history/2"/></response>
              </entry>
              <entry/>
            </Bundle>
            """;

    @ParameterizedTest
    @ValueSource(strings = {JSON, XML})
    void readsTheEntriesOfABundle(String text) throws IOException {
        AnsweredResource bundle = read(text);

        assertThat(bundle.source()).isNull();
        assertThat(bundle.codes()).isEmpty();
        assertThat(bundle.entries())
                .containsExactly(
                        new Entry(
                                "201 Created",
                                "Patient/1/_history/1",
                                AnsweredResource.NONE,
                                new AnsweredResource(null, Set.of("SUCCESSFUL_CREATE", "OTHER"), List.of())),
                        new Entry(
                                "200 OK",
                                "Bundle/2/_history/2",
                                new AnsweredResource("https://clinic.example#abc", Set.of(), List.of()),
                                AnsweredResource.NONE),
                        new Entry(null, null, AnsweredResource.NONE, AnsweredResource.NONE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                """
                {"resourceType":"Patient","contained":[{"resourceType":"Basic","meta":{"source":"#no"}}],"meta":{"source":"#yes"},"name":[{"meta":{"source":"#no"}}]}""",
                """
                <Patient xmlns="http://hl7.org/fhir"><contained><Basic><meta><source value="#no"/></meta></Basic></contained><meta><source value="#yes"/></meta><name><meta><source value="#no"/></meta></name></Patient>"""
            })
    void readsTheSourceOfTheResourceItselfAlone(String text) throws IOException {
        assertThat(read(text).requestId()).isEqualTo("yes");
    }

    @ParameterizedTest
    @CsvSource({
        "#a, a",
        "https://clinic.example#a, a",
        "https://clinic.example#a#b, b",
        "https://clinic.example,",
        "a#, ''"
    })
    void findsTheRequestIdAtTheEndOfASource(String source, String requestId) {
        assertThat(AnsweredResource.requestId(source)).isEqualTo(requestId);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " \n", "\uFEFF"})
    void readsNothingFromAnEmptyBody(String text) throws IOException {
        assertThat(read(text)).isEqualTo(AnsweredResource.NONE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"meta\":7,\"issue\":{\"details\":[1]},\"entry\":[1,null,{\"response\":{}},{\"response\":\"x\"}]}",
                "{\"meta\":null,\"issue\":[{\"details\":{\"coding\":\"SUCCESSFUL_CREATE\"}}],\"entry\":{\"resource\":[]}}",
                "<OperationOutcome xmlns=\"http://hl7.org/fhir\"><meta>#a</meta><issue><details value=\"SUCCESSFUL_CREATE\"/></issue></OperationOutcome>"
            })
    void findsNothingWhereAnElementHasAnotherShape(String text) throws IOException {
        AnsweredResource read = read(text);

        assertThat(read.source()).isNull();
        assertThat(read.codes()).isEmpty();
        assertThat(read.entries()).allSatisfy(entry -> assertThat(entry)
                .isEqualTo(new Entry(null, null, AnsweredResource.NONE, AnsweredResource.NONE)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"resourceType\":\"Patient\",\"meta\":{\"source\":\"#a\"",
                "{\"resourceType\":\"Patient\"} {}",
                "[]x",
                "[]",
                "{\"entry\":[[{\"response\":{}}]]}",
                "{\"meta\":{\"source\":\"#a\",\"source\":\"#b\"}}",
                "canary",
                "<Patient><meta>",
                "<Patient></Basic>",
                "<html><p>canary</html>",
                "<Patient/><Patient/>",
                "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]><Patient><id>&b;</id></Patient>"
            })
    void refusesAMalformedBodyAndRepeatsNothingOfIt(String text) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(IOException.class)
                .hasMessage("malformed answer")
                .hasNoCause();
    }

    @Test
    void readsBesideALargeAttachment() throws IOException {
        String data = "A".repeat(3_000_000);

        assertThat(read("{\"data\":\"" + data + "\",\"meta\":{\"source\":\"#a\"}}")
                        .requestId())
                .isEqualTo("a");
        assertThat(read("<Binary xmlns=\"http://hl7.org/fhir\"><data value=\"" + data
                                + "\"/><meta><source value=\"#a\"/></meta></Binary>")
                        .requestId())
                .isEqualTo("a");
    }

    private static AnsweredResource read(String text) throws IOException {
        return AnsweredResource.read(text.getBytes(StandardCharsets.UTF_8));
    }
}
