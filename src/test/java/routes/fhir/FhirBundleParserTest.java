package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static routes.fhir.FhirParsers.bytes;
import static routes.fhir.FhirParsers.head;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.error.ProblemException;

/** Transactions and batches. */
class FhirBundleParserTest {

    private final FhirInteractionParser parser = FhirParsers.parser();

    @Test
    void findsAnInteractionForEachEntryInTheirOrder() {
        List<FhirInteraction> interactions = parse(
                FhirFormat.JSON,
                """
                {"entry": [
                  {"fullUrl": "urn:uuid:1",
                   "resource": {"resourceType": "Patient", "id": "x", "name": [{"family": "x"}]},
                   "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=a"}},
                  {"request": {"url": "Observation/5", "method": "PUT", "ifMatch": "W/\\"2\\""},
                   "resource": {"subject": {"reference": "Patient?identifier=a"}, "id": "5", "resourceType": "Observation"}},
                  {"request": {"method": "DELETE", "url": "Group?member:Patient.name=x"}},
                  {"request": {"method": "GET", "url": "Encounter?_include=Encounter:location"}},
                  {"request": {"method": "HEAD", "url": "http://facade.example/fhir/Encounter/7"}},
                  {"request": {"method": "PATCH", "url": "Patient/9"},
                   "resource": {"resourceType": "Parameters", "parameter": []}}],
                 "type": "transaction", "id": "b", "resourceType": "Bundle"}""");

        assertThat(interactions)
                .extracting(
                        FhirInteraction::method,
                        FhirInteraction::type,
                        FhirInteraction::id,
                        FhirInteraction::isWrite,
                        FhirParsers::needs)
                .containsExactly(
                        tuple("POST", "Patient", null, true, "system/Patient.cs"),
                        tuple("PUT", "Observation", "5", true, "system/Observation.u system/Patient.s"),
                        tuple("DELETE", "Group", null, true, "system/Group.ds system/Patient.s"),
                        tuple("GET", "Encounter", null, false, "system/Encounter.s system/Location.s"),
                        tuple("HEAD", "Encounter", "7", false, "system/Encounter.r"),
                        tuple("PATCH", "Patient", "9", true, "system/Patient.ru"));
    }

    @Test
    void findsTheSameInXml() {
        List<FhirInteraction> interactions = parse(
                FhirFormat.XML,
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <Bundle xmlns="http://hl7.org/fhir">
                  <id value="b"/>
                  <type value="batch"/>
                  <entry>
                    <fullUrl value="urn:uuid:1"/>
                    <resource>
                      <Patient>
                        <id value="x"/>
                        <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></text>
                        <contained><Group><id value="g"/></Group></contained>
                        <name><family value="x"/></name>
                      </Patient>
                    </resource>
                    <request><method value="POST"/><url value="Patient"/><ifNoneExist value="identifier=a"/></request>
                  </entry>
                  <entry>
                    <resource>
                      <Observation><id value="5"/><subject><reference value="Patient?identifier=a"/></subject></Observation>
                    </resource>
                    <request><method value="PUT"/><url value="Observation/5"/></request>
                  </entry>
                  <entry>
                    <request><method value="DELETE"><extension url="x"><valueCode value="y"/></extension></method><url value="Group/1"/></request>
                  </entry>
                </Bundle>""");

        assertThat(interactions)
                .extracting(FhirInteraction::method, FhirInteraction::type, FhirInteraction::id, FhirParsers::needs)
                .containsExactly(
                        tuple("POST", "Patient", null, "system/Patient.cs"),
                        tuple("PUT", "Observation", "5", "system/Observation.u system/Patient.s"),
                        tuple("DELETE", "Group", "1", "system/Group.d"));
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            "request":{"method":"GET","url":"metadata"}                                             | ''
            "request":{"method":"GET","url":"Patient/1/_history/2"}                                 | system/Patient.r
            "request":{"method":"GET","url":"Patient?subject=é"}                                    | system/Patient.s
            "request":{"method":"GET","url":"Patient/1/$validate"}                                  | system/Patient.r
            "request":{"method":"GET","url":"http://facade.example/fhir/Patient?name=x"}              | system/Patient.s
            "request":{"method":"DELETE","url":"http://facade.example/fhir/Patient/1"}                | system/Patient.d
            "request":{"method":"DELETE","url":"Patient?name=x"}                                    | system/Patient.ds
            "request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Patient"}       | system/Patient.c
            "request":{"method":"POST","url":"Bundle"},"resource":{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/1"}}]} | system/Bundle.c
            "request":{"method":"PUT","url":"Patient/1"},"resource":{"resourceType":"Patient"}      | system/Patient.u
            "request":{"method":"PUT","url":"Patient?name=x"},"resource":{"resourceType":"Patient","id":"7"} | system/Patient.cus
            "request":{"method":"PUT","url":"SearchParameter/1"},"resource":{"resourceType":"SearchParameter"} | system/*.u
            "request":{"method":"PATCH","url":"Patient?name=x"},"resource":{"resourceType":"Parameters"} | system/Patient.rus
            "request":{"method":"PATCH","url":"Patient/1"},"resource":{"resourceType":"Parameters","parameter":[{"part":[{"valueString":"Group?code=x"}]}]} | system/Group.s system/Patient.ru
            "request":{"method":"GET","url":"Patient/1"},"fullUrl":"Group?code=x"                   | system/Patient.r
            """)
    void needsWhatTheEntrySays(String entry, String needs) {
        assertThat(FhirParsers.needs(parse(FhirFormat.JSON, bundle("batch", "{" + entry + "}"))))
                .isEqualTo(needs);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            {}                                                                       | 400 | has no request
            {"resource":{"resourceType":"Patient"}}                                  | 400 | has no request
            {"request":{}}                                                           | 400 | request.method must be one of GET, HEAD, POST, PUT, PATCH, DELETE
            {"request":{"method":"get","url":"Patient"}}                             | 400 | request.method must be one of GET, HEAD, POST, PUT, PATCH, DELETE
            {"request":{"method":"TRACE","url":"Patient"}}                           | 400 | request.method must be one of GET, HEAD, POST, PUT, PATCH, DELETE
            {"request":{"method":"PUT ","url":"Patient"}}                            | 400 | request.method must be one of GET, HEAD, POST, PUT, PATCH, DELETE
            {"request":{"method":"GET"}}                                             | 400 | request.url is not a URL
            {"request":{"method":"GET","url":""}}                                    | 400 | request.url is not a URL
            {"request":{"method":"GET","url":"Patient /1"}}                          | 400 | request.url is not a URL
            {"request":{"method":"GET","url":"Patient/1\\n"}}                        | 400 | request.url is not a URL
            {"request":{"method":"GET","url":"Patient?name=x#y"}}                    | 400 | request.url is not a URL
            {"request":{"method":"GET","url":"/Patient/1"}}                          | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"Patient/1/"}}                          | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"Patient%2F1"}}                         | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"Patient/../Group/1"}}                  | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"http://other.example/fhir/Patient/1"}} | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"http://facade.example/fhirx/Patient/1"}} | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"HTTP://FACADE.EXAMPLE/fhir/Patient/1"}}  | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"urn:uuid:1"}}                          | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"GET","url":"?_getpages=1"}}                        | 403 | query: a page link works only as it was given
            {"request":{"method":"GET","url":"Patient?_getpages=1"}}                 | 403 | query: a page link works only as it was given
            {"request":{"method":"GET","url":"http://facade.example/fhir?_getpages=1"}} | 403 | query: a page link works only as it was given
            {"request":{"method":"GET","url":"?_type=Patient"}}                      | 403 | a search of all types is closed
            {"request":{"method":"GET","url":"Patient??_getpages=1"}}                | 400 | query: begins with a second question mark
            {"request":{"method":"GET","url":"Patient?_filter=x"}}                   | 403 | query: parameter _filter is closed
            {"request":{"method":"GET","url":"Patient?name=%"}}                      | 400 | query: is not percent-encoded UTF-8
            {"request":{"method":"GET","url":"Subscription/1"}}                      | 403 | Subscription is closed
            {"request":{"method":"GET","url":"Patient/1/$everything"}}               | 403 | the operation is closed
            {"request":{"method":"POST","url":"$expunge"}}                           | 403 | the operation is closed
            {"request":{"method":"POST","url":"Patient/$validate"},"resource":{"resourceType":"Patient"}} | 400 | a POST must be a create
            {"request":{"method":"POST","url":"Patient/_search"}}                    | 400 | a POST must be a create
            {"request":{"method":"POST","url":"Patient/1"},"resource":{"resourceType":"Patient"}} | 400 | the path takes the methods GET, HEAD, PUT, PATCH, DELETE
            {"request":{"method":"POST","url":"http://facade.example/fhir"},"resource":{"resourceType":"Bundle","type":"batch"}} | 400 | a POST must be a create
            {"request":{"method":"POST","url":"http://facade.example/fhir/"},"resource":{"resourceType":"Bundle","type":"batch"}} | 400 | a POST must be a create
            {"request":{"method":"POST","url":"/"},"resource":{"resourceType":"Bundle","type":"batch"}} | 400 | the path is none of a FHIR R4 server
            {"request":{"method":"POST","url":"Patient"}}                            | 400 | the body must be a resource
            {"request":{"method":"POST","url":"Patient"},"resource":{}}              | 400 | the resource has no resourceType
            {"request":{"method":"POST","url":"Patient"},"resource":{"resourceType":"Group"}} | 400 | the resource has another type than the URL
            {"request":{"method":"POST","url":"Patient?name=x"},"resource":{"resourceType":"Patient"}} | 400 | query: this interaction takes no condition
            {"request":{"method":"POST","url":"Patient","ifNoneExist":""},"resource":{"resourceType":"Patient"}} | 400 | the condition has no search parameter
            {"request":{"method":"POST","url":"Patient","ifNoneExist":"Group?code=x"},"resource":{"resourceType":"Patient"}} | 400 | request.ifNoneExist: must search for the type of the resource
            {"request":{"method":"PUT","url":"Patient/1","ifNoneExist":"name=x"},"resource":{"resourceType":"Patient"}} | 400 | only a create takes ifNoneExist
            {"request":{"method":"PUT","url":"Patient/1"},"resource":{"resourceType":"Patient","id":"2"}} | 400 | the resource has another id than the URL
            {"request":{"method":"PUT","url":"Patient/1"},"resource":{"resourceType":"Binary"}} | 400 | the resource has another type than the URL
            {"request":{"method":"PUT","url":"Patient/1?name=x"},"resource":{"resourceType":"Patient"}} | 400 | query: this interaction takes no condition
            {"request":{"method":"PUT","url":"Patient"},"resource":{"resourceType":"Patient"}} | 400 | the condition has no search parameter
            {"request":{"method":"PUT","url":"http://facade.example/fhir/Patient?name=x"},"resource":{"resourceType":"Patient"}} | 400 | request.url with a condition must be relative
            {"request":{"method":"PUT","url":"Patient/1/_history/2"},"resource":{"resourceType":"Patient"}} | 400 | the path takes the methods GET, HEAD
            {"request":{"method":"PATCH","url":"Patient/1"}}                         | 400 | the body must be a patch
            {"request":{"method":"PATCH","url":"Patient/1"},"resource":{"resourceType":"Patient"}} | 400 | a patch in the form of a resource must be Parameters
            {"request":{"method":"DELETE","url":"Patient"}}                          | 400 | the condition has no search parameter
            {"request":{"method":"DELETE","url":"Patient?"}}                         | 400 | the condition has no search parameter
            {"request":{"method":"DELETE","url":"Patient/1"},"resource":{"resourceType":"Patient"}} | 400 | this interaction takes no body
            {"request":{"method":"GET","url":"Patient/1"},"resource":{"resourceType":"Patient"}} | 400 | this interaction takes no body
            {"request":{"method":"GET","url":"_history"}}                            | 403 | the history or the compartment of all types is closed
            {"request":{"method":"GET","url":"Patient?_include=*"}}                  | 403 | query: a parameter may reach every type, also a closed one; name the types that it reaches
            {"request":{"method":"DELETE","url":"_history"}}                         | 400 | the path takes the methods GET, HEAD
            """)
    void refusesTheWholeBundleForAnEntry(String entry, int status, String error) {
        String read = """
                {"request": {"method": "GET", "url": "Patient/1"}}""";

        assertRefused(FhirFormat.JSON, bundle("transaction", read + "," + entry), status, "Bundle.entry[1]: " + error);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            []                                                          | 400 | body: must be a JSON object
            {"resourceType":"Patient","type":"batch"}                   | 400 | body: must be a Bundle
            {"type":"batch"}                                            | 400 | body: must be a Bundle
            {"resourceType":"bundle","type":"batch"}                    | 400 | body: must be a Bundle
            {"resourceType":"Bundle"}                                   | 400 | Bundle: type must be transaction or batch
            {"resourceType":"Bundle","type":null}                       | 400 | Bundle: type must be a text
            {"resourceType":"Bundle","type":"Transaction"}              | 400 | Bundle: type must be transaction or batch
            {"resourceType":"Bundle","type":"message"}                  | 400 | Bundle: type must be transaction or batch
            {"resourceType":"Bundle","type":"history"}                  | 400 | Bundle: type must be transaction or batch
            {"resourceType":"Bundle","type":["batch"]}                  | 400 | Bundle: type must be a text
            {"resourceType":"Bundle","type":1}                          | 400 | Bundle: type must be a text
            {"resourceType":"Bundle","type":"batch","entry":{}}         | 400 | Bundle: entry must be a list of entries
            {"resourceType":"Bundle","type":"batch","entry":"x"}        | 400 | Bundle: entry must be a list of entries
            {"resourceType":"Bundle","type":"batch","entry":["x"]}      | 400 | Bundle: entry must be a list of entries
            {"resourceType":"Bundle","type":"batch","entry":null}       | 400 | Bundle: entry must be a list of entries
            {"resourceType":"Bundle","type":"batch","entry":[null]}     | 400 | Bundle: entry must be a list of entries
            {"resourceType":"Bundle","type":"batch","entry":[{"request":null}]}  | 400 | Bundle.entry[0]: request must be an object
            {"resourceType":"Bundle","type":"batch","entry":[{"resource":null}]} | 400 | Bundle.entry[0]: resource must be an object
            {"resourceType":"Bundle","type":"batch","entry":[1]}        | 400 | Bundle: entry must be a list of entries
            {"resourceType":"Bundle","type":"batch","entry":[[{}]]}     | 400 | body: an array stands in an array
            {"resourceType":"Bundle","type":"batch","entry":[{"request":[{}]}]}  | 400 | Bundle.entry[0]: request must be an object
            {"resourceType":"Bundle","type":"batch","entry":[{"request":"x"}]}   | 400 | Bundle.entry[0]: request must be an object
            {"resourceType":"Bundle","type":"batch","entry":[{"resource":[{}]}]} | 400 | Bundle.entry[0]: resource must be an object
            {"resourceType":"Bundle","type":"batch","entry":[{"resource":1}]}    | 400 | Bundle.entry[0]: resource must be an object
            {"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":["GET"]}}]} | 400 | Bundle.entry[0]: method must be a text
            {"resourceType":"Bundle","type":"batch","entry":[{"request":{"url":{"a":"b"}}}]}  | 400 | Bundle.entry[0]: url must be a text
            {"resourceType":"Bundle","type":"batch","entry":[{"request":{"ifNoneExist":1}}]}  | 400 | Bundle.entry[0]: request.ifNoneExist must be a text
            """)
    void refusesWhatIsNoTransactionOrBatch(String body, int status, String error) {
        assertRefused(FhirFormat.JSON, body, status, error);
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"JSON_PATCH", "XML_PATCH", "FORM", "NONE"})
    void refusesABundleInAnotherFormat(FhirFormat format) {
        assertRefused(format, "x", 415, "the body must be a resource in JSON or XML");
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            <entry/>                                                                                     | Bundle.entry[0]: has no request
            <entry><request><method value="GET"/></request></entry>                                      | Bundle.entry[0]: request.url is not a URL
            <entry><request url="Patient/1"><method value="GET"/></request></entry>                      | Bundle.entry[0]: request.url is not a URL
            <entry><request><method value="GET"/><method value="PUT"/></request></entry>                 | Bundle.entry[0]: request.method is given twice
            <entry><request><url value="a"/><url value="b"/></request></entry>                           | Bundle.entry[0]: request.url is given twice
            <entry><request/><request/></entry>                                                          | Bundle.entry[0]: request is given twice
            <entry><resource><Patient/></resource><resource><Group/></resource></entry>                  | Bundle.entry[0]: resource is given twice
            <entry><resource><Patient/><Group/></resource></entry>                                       | Bundle.entry[0]: resource.resourceType is given twice
            <entry><resource><Patient><id value="1"/><id value="2"/></Patient></resource></entry>        | Bundle.entry[0]: resource.id is given twice
            <entry><resource><id value="1"/><Patient><id value="2"/></Patient></resource></entry>        | Bundle.entry[0]: resource.id is given twice
            <entry><Patient/></entry>                                                                    | body: an element of XML holds a resource where FHIR has none
            <type value="batch"/>                                                                        | Bundle: type is given twice
            <Parameters><entry/></Parameters>                                                            | body: an element of XML holds a resource where FHIR has none
            """)
    void refusesXmlThatNamesAThingTwice(String entry, String error) {
        assertRefused(
                FhirFormat.XML,
                """
                <Bundle xmlns="http://hl7.org/fhir"><type value="batch"/>%s</Bundle>"""
                        .formatted(entry),
                400,
                error);
    }

    @ParameterizedTest(name = "{index} {0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            application/json-patch+json                | [{"op":"replace","path":"/owner/reference","value":"Patient?a=b"}]
            application/json-patch+json; charset=utf-8 | [{"op":"replace","path":"/owner/reference","value":"Patient?a=b"}]
            application/xml-patch+xml                  | <diff><replace sel="Account/owner/reference/@value">Patient?a=b</replace></diff>
            """)
    void readsThePatchInABinary(String contentType, String patch) {
        String data = Base64.getMimeEncoder(8, new byte[] {' '}).encodeToString(bytes(patch));
        String entries =
                """
                {"resource": {"resourceType": "Binary", "data": "AAAA"}, "request": {"method": "POST", "url": "Binary"}},
                {"resource": {"data": "%s", "contentType": "%s", "resourceType": "Binary"},
                 "request": {"method": "PATCH", "url": "Account/1"}},
                {"request": {"method": "GET", "url": "Group/1"}}"""
                        .formatted(data, contentType);

        assertThat(FhirParsers.needs(parse(FhirFormat.JSON, bundle("batch", entries))))
                .isEqualTo("system/Binary.c; system/Account.ru system/Patient.s; system/Group.r");
    }

    @Test
    void readsThePatchInABinaryInXml() {
        String data = Base64.getEncoder()
                .encodeToString(
                        bytes(
                                """
                [{"op": "add", "path": "/owner", "value": {"reference": "Patient?a=b"}}]"""));

        assertThat(FhirParsers.needs(parse(
                        FhirFormat.XML,
                        """
                        <Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry>
                          <resource><Binary><contentType value="application/json-patch+json"/><data value="%s"/></Binary></resource>
                          <request><method value="PATCH"/><url value="Account/1"/></request>
                        </entry></Bundle>"""
                                .formatted(data))))
                .isEqualTo("system/Account.ru system/Patient.s");
    }

    @ParameterizedTest(name = "{index} {0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            application/json-patch+json | []      | ' '  | Bundle.entry[0]: body: must be a JSON array
            application/json-patch+json | {}      | ''   | Bundle.entry[0]: body: must be a JSON array
            application/xml-patch+xml   | <x/>    | ''   | Bundle.entry[0]: body: an XML patch is a diff of add, replace and remove
            application/json-patch+json | []      | '*'  | Bundle.entry[0]: Binary.data is not base64
            application/json-patch+json | []      | '-_' | Bundle.entry[0]: Binary.data is not base64
            application/fhir+json       | []      | ''   | Bundle.entry[0]: Binary.contentType must be that of a JSON or XML patch
            Application/json-patch+json | []      | ''   | Bundle.entry[0]: Binary.contentType must be that of a JSON or XML patch
            ''                          | []      | ''   | Bundle.entry[0]: Binary.contentType must be that of a JSON or XML patch
            """)
    void refusesABinaryThatIsNoPatch(String contentType, String patch, String added, String error) {
        String data = added.equals(" ") ? "" : Base64.getEncoder().encodeToString(bytes(patch)) + added;
        String entry =
                """
                {"resource": {"data": "%s", "contentType": "%s", "resourceType": "Binary"},
                 "request": {"method": "PATCH", "url": "Account/1"}}"""
                        .formatted(data, contentType);

        assertRefused(FhirFormat.JSON, bundle("batch", entry), 400, error);
    }

    @Test
    void readsABundleOf10000EntriesAnd16Megabytes() {
        String entry =
                """
                {"fullUrl": "urn:uuid:%d",
                 "resource": {"resourceType": "Observation", "subject": {"reference": "Patient?identifier=%1$d"},
                              "note": [{"text": "%s"}]},
                 "request": {"method": "POST", "url": "Observation"}}""";
        String note = "x".repeat(1_400);
        StringBuilder entries = new StringBuilder();
        for (int i = 0; i < FhirResourceReader.MAX_ENTRIES; i++) {
            entries.append(i == 0 ? "" : ",").append(entry.formatted(i, note));
        }

        String bundle = bundle("transaction", entries.toString());
        List<FhirInteraction> interactions = parse(FhirFormat.JSON, bundle);

        assertThat(bundle.length()).isGreaterThan(15 << 20);
        assertThat(interactions).hasSize(FhirResourceReader.MAX_ENTRIES).allSatisfy(interaction -> assertThat(
                        FhirParsers.needs(interaction))
                .isEqualTo("system/Observation.c system/Patient.s"));
        assertRefused(
                FhirFormat.JSON,
                bundle("transaction", entries + "," + entry.formatted(0, "")),
                413,
                "Bundle: more than 10000 entries");
    }

    @Test
    void needsNothingForAnEmptyBundle() {
        assertThat(parse(FhirFormat.JSON, bundle("transaction", ""))).isEmpty();
    }

    private static String bundle(String type, String entries) {
        return """
                {"resourceType": "Bundle", "type": "%s", "entry": [%s]}""".formatted(type, entries);
    }

    private List<FhirInteraction> parse(FhirFormat format, String body) {
        return parser.parse(head("POST", "", format), body.getBytes(StandardCharsets.UTF_8));
    }

    private void assertRefused(FhirFormat format, String body, int status, String error) {
        assertThatThrownBy(() -> parse(format, body))
                .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                .extracting(ProblemException::status, Throwable::getMessage)
                .containsExactly(status, error);
    }
}
