package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static routes.fhir.FhirParsers.bytes;
import static routes.fhir.FhirParsers.head;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.error.ProblemException;

/** Requests with a body of one resource, or with a patch. */
class FhirBodyTest {

    private final FhirInteractionParser parser = FhirParsers.parser();

    @ParameterizedTest(name = "{0} {1} {2} {3}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            POST  | Patient              | JSON       | {"resourceType":"Patient"}                                     | system/Patient.c
            POST  | Patient              | JSON       | {"id":"1","resourceType":"Patient"}                            | system/Patient.c
            POST  | Patient?_format=xml  | JSON       | {"resourceType":"Patient","name":[{"family":"x"}]}             | system/Patient.c
            POST  | Patient              | XML        | <Patient xmlns="http://hl7.org/fhir"/>                         | system/Patient.c
            POST  | Patient              | XML        | <f:Patient xmlns:f="http://hl7.org/fhir"><f:id value="1"/></f:Patient> | system/Patient.c
            POST  | Bundle               | JSON       | {"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/1"}}]} | system/Bundle.c
            POST  | Bundle               | XML        | <Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><request><method value="DELETE"/></request></entry></Bundle> | system/Bundle.c
            POST  | SearchParameter      | JSON       | {"resourceType":"SearchParameter"}                             | system/*.c
            PUT   | SearchParameter/1    | JSON       | {"resourceType":"SearchParameter"}                             | system/*.u
            PUT   | Patient/1            | JSON       | {"resourceType":"Patient","id":"1"}                            | system/Patient.u
            PUT   | Patient/1            | JSON       | {"resourceType":"Patient"}                                     | system/Patient.u
            PUT   | Patient/1            | JSON       | {"resourceType":"Patient","x":null,"contained":[{"resourceType":"Group","id":"2"}]} | system/Patient.u
            PUT   | Patient/1            | XML        | <Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient> | system/Patient.u
            PUT   | Patient?name=x       | JSON       | {"resourceType":"Patient","id":"2"}                            | system/Patient.cus
            PUT   | Observation?subject:Patient.name=x | JSON | {"resourceType":"Observation"}                         | system/Observation.cus system/Patient.s
            PATCH | Patient/1            | JSON_PATCH | []                                                             | system/Patient.ru
            PATCH | Patient/1            | JSON_PATCH | [{"op":"remove","path":"/name"}]                               | system/Patient.ru
            PATCH | Patient?name=x       | JSON_PATCH | [{"op":"add","path":"/x","value":[{"a":1},2]}]                 | system/Patient.rus
            PATCH | Patient/1            | XML_PATCH  | <diff><remove sel="Patient/name"/></diff>                      | system/Patient.ru
            PATCH | Patient/1            | JSON       | {"resourceType":"Parameters","parameter":[]}                   | system/Patient.ru
            PATCH | Patient?name=x       | XML        | <Parameters xmlns="http://hl7.org/fhir"/>                      | system/Patient.rus
            POST  | Patient/$validate    | JSON       | {"resourceType":"Patient","id":"9"}                            | system/Patient.r
            POST  | Patient/$validate    | JSON       | {"resourceType":"Parameters"}                                  | system/Patient.r
            POST  | $validate            | JSON       | {"resourceType":"Observation"}                                 | system/*.r
            """)
    void needsWhatUrlAndBodySay(String method, String url, FhirFormat format, String body, String needs) {
        assertThat(needs(method, url, format, body)).isEqualTo(needs);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            identifier=a                            | system/Patient.cs
            Patient?identifier=a                    | system/Patient.cs
            ?identifier=a                           | system/Patient.cs
            http://facade.example/fhir/Patient?_id=1  | system/Patient.cs
            organization.name=a                     | system/Organization.s system/Patient.cs
            _has:Group:member:code=a                | system/Group.s system/Patient.cs
            """)
    void needsASearchForAConditionalCreate(String ifNoneExist, String needs) {
        assertThat(FhirParsers.needs(parser.parse(
                        head("POST", "Patient", ifNoneExist, FhirFormat.JSON),
                        bytes("""
                                {"resourceType": "Patient"}"""))))
                .isEqualTo(needs);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            ''                                        | 400 | the condition has no search parameter
            ' '                                       | 400 | the condition has no search parameter
            Patient?                                  | 400 | the condition has no search parameter
            _format=json                              | 400 | the condition has no search parameter
            Observation?code=a                        | 400 | header If-None-Exist: must search for the type of the resource
            patient?name=a                            | 400 | header If-None-Exist: must search for the type of the resource
            http://other.example/fhir/Patient?name=a  | 400 | header If-None-Exist: must search for the type of the resource
            http://facade.example/fhirx/Patient?name=a  | 400 | header If-None-Exist: must search for the type of the resource
            identifier=a?name=b                       | 400 | header If-None-Exist: must search for the type of the resource
            Patient??name=a                           | 400 | header If-None-Exist: begins with a second question mark
            name=%                                    | 400 | header If-None-Exist: is not percent-encoded UTF-8
            name=a&_getpages=1                        | 403 | ifNoneExist: a page link works only as it was given
            name=a&_expunge=true                      | 403 | ifNoneExist: parameter _expunge is closed
            _has:Subscription:x:y=1&name=x            | 403 | Subscription is closed
            """)
    void refusesAConditionThatTheServerReadsInAnotherWay(String ifNoneExist, int status, String error) {
        assertRefused(
                () -> parser.parse(
                        head("POST", "Patient", ifNoneExist, FhirFormat.JSON),
                        bytes("""
                                {"resourceType": "Patient"}""")),
                status,
                error);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            Patient?identifier=a                                   | system/Patient.s
            http://facade.example/fhir/Patient?identifier=a%7Cb      | system/Patient.s
            https://other.example/x/Patient?identifier=a           | system/Patient.s
            /Patient?identifier=a                                  | system/Patient.s
            Patient/?identifier=a                                  | system/Patient.s
            x/Patient//?identifier=a                               | system/Patient.s
            patient?identifier=a                                   | system/Patient.s
            PATIENT?identifier=a                                   | system/Patient.s
            ' Patient?identifier=a '                               | system/Patient.s
            Patient?organization.name=a                            | system/Organization.s system/Patient.s
            Patient?organization%2Ename=a                          | system/Organization.s system/Patient.s
            Patient?_has:Group:member:code=a                       | system/Group.s system/Patient.s
            Patient?name=%                                         | system/*.s system/Patient.s
            Patient?_filter=a                                      | system/*.s system/Patient.s
            Patient?                                               | system/Patient.s
            Patient/1                                              | ''
            Nothing?identifier=a                                   | ''
            urn:uuid:0a                                            | ''
            ?identifier=a                                          | ''
            Is this Patient?yes                                    | ''
            Patient? Not known.                                    | ''
            Patients?x                                             | ''
            """)
    void needsASearchForAConditionalReference(String reference, String needs) {
        String expected =
                Stream.of(("system/Account.c " + needs).split(" ")).sorted().collect(Collectors.joining(" "));
        String json = """
                {"resourceType": "Account", "%s": {"reference": "%s"}}""";
        String xml =
                """
                <Account xmlns="http://hl7.org/fhir"><%s><reference value="%s"/></%1$s></Account>""";

        assertThat(needs("POST", "Account", FhirFormat.JSON, json.formatted("owner", reference)))
                .isEqualTo(expected);
        assertThat(needs("POST", "Account", FhirFormat.XML, xml.formatted("owner", reference)))
                .isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            JSON       | {"resourceType":"Account","subject":[{"reference":"Patient?a=b"}]}
            JSON       | {"subject":[{"reference":"Patient?a=b"}],"resourceType":"Account"}
            JSON       | {"resourceType":"Account","subject":[{"reference":"Patient\\u003fa=b"}]}
            JSON       | {"resourceType":"Account","subject":[{"reference":"\\u0050atient?a=b"}]}
            JSON       | {"resourceType":"Account","subject":[{"reference":"\\/Patient\\/?a=b"}]}
            JSON       | {"resourceType":"Account","contained":[{"resourceType":"Group","member":[{"entity":{"reference":"Patient?a=b"}}]}]}
            JSON       | {"resourceType":"Account","extension":[{"url":"x","valueReference":{"reference":"Patient?a=b"}}]}
            JSON       | {"resourceType":"Account","extension":[{"url":"x","valueUri":"Patient?a=b"}]}
            JSON       | {"resourceType":"Account","extra":["Patient?a=b"]}
            JSON       | {"resourceType":"Account","entry":[{"resource":{"subject":{"reference":"Patient?a=b"}}}]}
            XML        | <Account xmlns="http://hl7.org/fhir"><subject><reference value="Patient&#63;a=b"/></subject></Account>
            XML        | <Account xmlns="http://hl7.org/fhir"><subject><reference value="&#x50;atient?a=b"/></subject></Account>
            XML        | <Account xmlns="http://hl7.org/fhir"><contained><Group><member><entity><reference value='Patient?a=b'/></entity></member></Group></contained></Account>
            XML        | <Account xmlns="http://hl7.org/fhir"><extension url="Patient?a=b"/></Account>
            XML        | <a:Account xmlns:a="http://hl7.org/fhir"><a:subject><a:reference value="Patient?a=b"/></a:subject></a:Account>
            """)
    void findsAConditionalReferenceWhereverItStands(FhirFormat format, String body) {
        assertThat(needs("POST", "Account", format, body)).isEqualTo("system/Account.c system/Patient.s");
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            JSON_PATCH | [{"op":"add","path":"/owner","value":{"reference":"Patient?a=b"}}]
            JSON_PATCH | [{"op":"replace","path":"/owner/reference","value":"Patient?a=b"}]
            JSON_PATCH | [{"op":"replace","path":"/subject","value":[{"reference":"Patient?a=b"}]}]
            JSON_PATCH | [{"value":"Patient?a=b","path":"/owner/reference","op":"replace"}]
            XML_PATCH  | <diff><replace sel="Account/owner/reference/@value">Patient?a=b</replace></diff>
            XML_PATCH  | <diff><replace sel="Account/owner/reference/@value"> Patient?a=b </replace></diff>
            XML_PATCH  | <diff><replace sel="Account/owner/reference/@value">Pat<!-- x -->ient?a=b</replace></diff>
            XML_PATCH  | <diff><replace sel="Account/owner/reference/@value">Pat<![CDATA[ient?a]]>=b</replace></diff>
            XML_PATCH  | <diff><replace sel="Account/owner/reference/@value">Pat<x>-</x>ient?a=b</replace></diff>
            XML_PATCH  | <diff><replace sel="Account/owner/reference/@value">Patient&#63;a=b</replace></diff>
            XML_PATCH  | <diff xmlns:f="http://hl7.org/fhir"><add sel="f:Account"><f:owner><f:reference value="Patient?a=b"/></f:owner></add></diff>
            JSON       | {"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"value","valueReference":{"reference":"Patient?a=b"}}]}]}
            JSON       | {"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"value","valueString":"Patient?a=b"}]}]}
            XML        | <Parameters xmlns="http://hl7.org/fhir"><parameter><part><name value="value"/><valueString value="Patient?a=b"/></part></parameter></Parameters>
            """)
    void findsAConditionalReferenceInAPatch(FhirFormat format, String body) {
        assertThat(needs("PATCH", "Account/1", format, body)).isEqualTo("system/Account.ru system/Patient.s");
    }

    /** It may make a reference of any text. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                """
                [{"op":"copy","from":"/component/0/valueSampledData/data","path":"/subject/reference"}]""",
                """
                [{"op":"move","from":"/text/div","path":"/owner/reference"}]""",
                """
                [{"path":"/owner","from":"/contained/0","op":"\\u0063opy"}]""",
                """
                [{"op":"copy","from":"/note/0","path":"/owner/0"}]""",
                """
                [{"op":"copy","path":"/owner"}]""",
                """
                [{"op":"move","from":"/note/0","path":"/note/x"}]""",
                """
                [{"op":"test","path":"/note/0","value":"x"},{"op":"move","from":"/note/0/text","path":"/owner/reference"}]"""
            })
    void needsASearchOfAllTypesForATransferInAPatch(String patch) {
        assertThat(needs("PATCH", "Account/1", FhirFormat.JSON_PATCH, patch)).isEqualTo("system/*.s system/Account.ru");
    }

    @Test
    void takesATransferWithinAList() {
        assertThat(
                        needs(
                                "PATCH",
                                "Account/1",
                                FhirFormat.JSON_PATCH,
                                """
                        [{"op":"move","from":"/subject/1","path":"/subject/0"},{"op":"copy","from":"/subject/1","path":"/subject/-"}]"""))
                .isEqualTo("system/Account.ru");
    }

    @Test
    void takesTheContentOfABinaryAsItIs() {
        for (String url : List.of("Binary", "Binary/1", "Binary?_id=x")) {
            String method = url.equals("Binary") ? "POST" : "PUT";
            assertThat(parser.parse(head(method, url, FhirFormat.RAW), new byte[] {'{', 0, -1}))
                    .extracting(FhirInteraction::type, FhirParsers::needs)
                    .containsExactly(tuple(
                            "Binary",
                            switch (url) {
                                case "Binary" -> "system/Binary.c";
                                case "Binary/1" -> "system/Binary.u";
                                default -> "system/Binary.cus";
                            }));
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            JSON | {"resourceType":"Binary","data":"Patient?a=b"}
            JSON | {"resourceType":"Binary","text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'><a href='http://x/Patient?a=b'/></div>"}}
            XML  | <Binary xmlns="http://hl7.org/fhir"><text><div xmlns="http://www.w3.org/1999/xhtml"><a href="Patient?a=b">Patient?a=b</a></div></text></Binary>
            XML  | <Binary xmlns="http://hl7.org/fhir"><!-- Patient?a=b --><?x Patient?a=b?></Binary>
            """)
    void readsNoReferenceInDataAndNarrative(FhirFormat format, String body) {
        assertThat(needs("POST", "Binary", format, body)).isEqualTo("system/Binary.c");
    }

    @ParameterizedTest(name = "{0} {1} {2} {3}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            POST   | Patient           | JSON       | {"resourceType":"Observation"}              | 400 | the resource has another type than the URL
            POST   | Patient           | JSON       | {"resourceType":"patient"}                  | 400 | the resource has another type than the URL
            POST   | Patient           | JSON       | {"resourceType":"Parameters"}               | 400 | the resource has another type than the URL
            POST   | Patient           | XML        | <Observation xmlns="http://hl7.org/fhir"/>  | 400 | the resource has another type than the URL
            PUT    | Patient/1         | JSON       | {"resourceType":"Group","id":"1"}           | 400 | the resource has another type than the URL
            PUT    | Patient/1         | JSON       | {"resourceType":"Patient","id":"2"}         | 400 | the resource has another id than the URL
            PUT    | Patient/1         | JSON       | {"resourceType":"Patient","id":"Patient/1"} | 400 | the resource has another id than the URL
            PUT    | Patient/1         | JSON       | {"resourceType":"Patient","id":""}          | 400 | the resource has another id than the URL
            PUT    | Patient/1         | JSON       | {"id":"2","x":{"id":"1"},"resourceType":"Patient"} | 400 | the resource has another id than the URL
            PUT    | Patient/1         | XML        | <Patient xmlns="http://hl7.org/fhir"><id value="2"/></Patient> | 400 | the resource has another id than the URL
            POST   | Patient/$validate | JSON       | {"resourceType":"Group"}                    | 400 | the resource has another type than the URL
            PUT    | Patient           | JSON       | {"resourceType":"Patient"}                  | 400 | the condition has no search parameter
            PUT    | Patient/1?name=x  | JSON       | {"resourceType":"Patient"}                  | 400 | query: this interaction takes no condition
            POST   | Patient?name=x    | JSON       | {"resourceType":"Patient"}                  | 400 | query: this interaction takes no condition
            PATCH  | Patient           | JSON_PATCH | []                                          | 400 | the condition has no search parameter
            PATCH  | Patient/1         | JSON       | {"resourceType":"Patient"}                  | 400 | a patch in the form of a resource must be Parameters
            POST   | Patient           | JSON_PATCH | []                                          | 415 | the body must be a resource
            PUT    | Patient/1         | FORM       | name=x                                      | 415 | the body must be a resource
            PATCH  | Patient/1         | FORM       | name=x                                      | 415 | the body must be a patch
            POST   | Patient/_search   | JSON       | {"resourceType":"Patient"}                  | 415 | the body must be a form
            POST   | Patient/$validate | FORM       | name=x                                      | 415 | the body must be a resource
            POST   | Patient           | NONE       | {}                                          | 415 | header Content-Type must tell the format of the body
            GET    | Patient           | JSON       | {"resourceType":"Patient"}                  | 400 | this interaction takes no body
            GET    | Patient           | FORM       | name=x                                      | 400 | this interaction takes no body
            DELETE | Patient/1         | JSON       | {"resourceType":"Patient"}                  | 400 | this interaction takes no body
            POST   | Patient           | JSON       | ''                                          | 400 | the body must be a resource
            PUT    | Patient/1         | XML        | ''                                          | 400 | the body must be a resource
            PATCH  | Patient/1         | JSON_PATCH | ''                                          | 400 | the body must be a patch
            POST   | Subscription      | JSON       | {"resourceType":"Subscription"}             | 403 | Subscription is closed
            POST   | Account           | JSON       | {"resourceType":"Account","x":"Subscription?a=b"} | 403 | Subscription is closed
            POST   | Patient/_search   | FORM       | _getpages=1                                 | 403 | query: a page link works only as it was given
            POST   | Patient/_search   | FORM       | _query=x                                    | 403 | query: parameter _query is closed
            POST   | Patient/_search   | FORM       | ?_getpages=1                                | 400 | form: begins with a second question mark
            POST   | Patient/_search   | FORM       | name=%                                      | 400 | form: is not percent-encoded UTF-8
            """)
    void refuses(String method, String url, FhirFormat format, String body, int status, String error) {
        assertRefused(() -> parser.parse(head(method, url, format), bytes(body)), status, error);
    }

    @Test
    void takesAConditionForACreateAlone() {
        assertRefused(
                () -> parser.parse(head("DELETE", "Patient/1", "name=x", FhirFormat.NONE), new byte[0]),
                400,
                "only a create takes ifNoneExist");
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            []                                            | 400 | body: must be a JSON object
            "Patient"                                     | 400 | body: must be a JSON object
            null                                          | 400 | body: must be a JSON object
            ' '                                           | 400 | body: must be a JSON object
            {}                                            | 400 | body: the resource has no resourceType
            {"resourceType":null}                         | 400 | body: resource.resourceType must be a text
            {"resourceType":"Patient","id":null}          | 400 | body: resource.id must be a text
            {"resourceType":5}                            | 400 | body: resource.resourceType must be a text
            {"resourceType":["Patient"]}                  | 400 | body: resourceType must be a text
            {"resourceType":{"a":"Patient"}}              | 400 | body: resourceType must be a text
            {"resourceType":"Patient","id":1}             | 400 | body: resource.id must be a text
            {"resourceType":"Patient","id":["1"]}         | 400 | body: id must be a text
            {"resourceType":"Patient","id":{"a":"1"}}     | 400 | body: id must be a text
            {"resourceType":"Patient","id":true}          | 400 | body: resource.id must be a text
            {"resourceType":"Patient","x":[[1]]}          | 400 | body: an array stands in an array
            {"resourceType":"Patient"}{}                  | 400 | body: has more than one JSON value
            {"resourceType":"Patient"} x                  | 400 | body: not valid JSON at line 1, column 29
            {"resourceType":"Patient","resourceType":"Patient"} | 400 | body: not valid JSON at line 1, column 41
            {"resourceType":"Patient","resource\\u0054ype":"x"} | 400 | body: not valid JSON at line 1, column 46
            {"resourceType":"Patient","a":{"b":1,"b":2}}  | 400 | body: not valid JSON at line 1, column 41
            {"resourceType":"Patient",}                   | 400 | body: not valid JSON at line 1, column 27
            {"resourceType":"Patient"                     | 400 | body: not valid JSON at line 1, column 26
            {'resourceType':'Patient'}                    | 400 | body: not valid JSON at line 1, column 2
            {resourceType:"Patient"}                      | 400 | body: not valid JSON at line 1, column 2
            {"resourceType":"Patient"/**/}                | 400 | body: not valid JSON at line 1, column 26
            {"resourceType":"Patient","a":NaN}            | 400 | body: not valid JSON at line 1, column 34
            {"resourceType":"Patient","a":01}             | 400 | body: not valid JSON at line 1, column 32
            <Patient xmlns="http://hl7.org/fhir"/>        | 400 | body: not valid JSON at line 1, column 1
            """)
    void refusesJsonThatServersReadDifferently(String body, int status, String error) {
        assertRefused(() -> parser.parse(head("POST", "Patient", FhirFormat.JSON), bytes(body)), status, error);
    }

    @ParameterizedTest(name = "{index} {0}")
    @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-32"})
    void refusesJsonAndXmlInAnotherCharset(String charset) {
        for (FhirFormat format : List.of(FhirFormat.JSON, FhirFormat.XML)) {
            String body = format == FhirFormat.JSON
                    ? """
                            {"resourceType": "Patient"}"""
                    : """
                            <Patient xmlns="http://hl7.org/fhir"/>""";
            assertThatThrownBy(() ->
                            parser.parse(head("POST", "Patient", format), body.getBytes(Charset.forName(charset))))
                    .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                    .extracting(ProblemException::status)
                    .isEqualTo(400);
        }
    }

    @ParameterizedTest(name = "{index} {0}")
    @ValueSource(strings = {"ff", "c0bf", "eda080", "f8888080", "c3", "efbbbf"})
    void refusesBytesThatAreNotUtf8(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        for (String json : List.of(
                """
                {"resourceType": "Patient", "x": "%s"}""",
                """
                {"resourceType": "Patient", "x%s": 1}""",
                """
                %s{"resourceType": "Patient"}""")) {
            if (hex.equals("efbbbf") && !json.startsWith("%s")) {
                continue;
            }
            assertThatThrownBy(() -> parser.parse(
                            head("POST", "Patient", FhirFormat.JSON),
                            json.formatted(text).getBytes(StandardCharsets.ISO_8859_1)))
                    .as(json)
                    .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                    .extracting(ProblemException::status)
                    .isEqualTo(400);
        }
        assertThatThrownBy(() -> parser.parse(
                        head("POST", "Patient", FhirFormat.XML),
                        (text + "<Patient xmlns='http://hl7.org/fhir'/>").getBytes(StandardCharsets.ISO_8859_1)))
                .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                .extracting(ProblemException::status)
                .isEqualTo(400);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            <!DOCTYPE Patient><Patient xmlns="http://hl7.org/fhir"/>
            <!DOCTYPE Patient SYSTEM "file:///etc/passwd"><Patient xmlns="http://hl7.org/fhir"/>
            <!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&x;"/></Patient>
            <!DOCTYPE Patient [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;"/></Patient>
            <!DOCTYPE Patient [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x"> %x;]><Patient xmlns="http://hl7.org/fhir"/>
            <Patient xmlns="http://hl7.org/fhir"><id value="&x;"/></Patient>
            <Patient xmlns="http://hl7.org/fhir">&nbsp;</Patient>
            <Patient/>
            <Patient xmlns="http://hl7.org/fhir/"/>
            <Patient xmlns="http://hl7.org/fhir"><x:id xmlns:x="http://x" value="1"/></Patient>
            <Patient xmlns="http://hl7.org/fhir"><id xmlns:x="http://x" x:value="1"/></Patient>
            <Patient xmlns="http://hl7.org/fhir"><id value="1"/><id value="2"/></Patient>
            <Patient xmlns="http://hl7.org/fhir"><id/></Patient>
            <Patient xmlns="http://hl7.org/fhir"><id value="1" value="2"/></Patient>
            <Patient xmlns="http://hl7.org/fhir" id="1"/>
            <Patient xmlns="http://hl7.org/fhir"><Group/></Patient>
            <Patient xmlns="http://hl7.org/fhir"><text><div xmlns="http://www.w3.org/1999/xhtml"><id xmlns="http://hl7.org/fhir"/></div></text></Patient>
            <Patient xmlns="http://hl7.org/fhir"/><Patient xmlns="http://hl7.org/fhir"/>
            <Patient xmlns="http://hl7.org/fhir">
            <Patient xmlns="http://hl7.org/fhir"></patient>
            <patient xmlns="http://hl7.org/fhir"/>
            <div xmlns="http://www.w3.org/1999/xhtml"/>
            <?xml version="1.1"?><Patient xmlns="http://hl7.org/fhir"/>
            <?xml version="1.0" encoding="ISO-8859-1"?><Patient xmlns="http://hl7.org/fhir"/>
            <?xml version="1.0" encoding="UTF-16"?><Patient xmlns="http://hl7.org/fhir"/>
            {"resourceType":"Patient"}
            """)
    void refusesXmlThatServersReadDifferently(String xml) {
        assertThatThrownBy(() -> parser.parse(head("POST", "Patient", FhirFormat.XML), bytes(xml)))
                .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                .extracting(ProblemException::status)
                .isEqualTo(400);
    }

    @ParameterizedTest(name = "{index} {0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            <?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"/>
            <?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"/>
            <?xml version="1.0" encoding="utf-8"?><Patient xmlns="http://hl7.org/fhir"/>
            <Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir x.xsd"/>
            <Patient xmlns="http://hl7.org/fhir"><name id="a"><family value="&lt;&amp;&#233;é"/></name></Patient>
            <Patient xmlns="http://hl7.org/fhir"><text><div xmlns="http://www.w3.org/1999/xhtml"><p>é&#160;<b/></p></div></text></Patient>
            """)
    void takesTheXmlOfFhir(String xml) {
        assertThat(needs("POST", "Patient", FhirFormat.XML, xml)).isEqualTo("system/Patient.c");
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            JSON_PATCH | {"op":"add","path":"/x"}                          | 400 | body: must be a JSON array
            JSON_PATCH | {"resourceType":"Parameters"}                     | 400 | body: must be a JSON array
            JSON_PATCH | ["add"]                                           | 400 | body: a JSON patch is a list of operations
            JSON_PATCH | [1]                                               | 400 | body: a JSON patch is a list of operations
            JSON_PATCH | [[{"op":"add","path":"/x"}]]                      | 400 | body: an array stands in an array
            JSON_PATCH | [{}]                                              | 400 | body: an operation of a JSON patch has no op or no path
            JSON_PATCH | [{"op":"add"}]                                    | 400 | body: an operation of a JSON patch has no op or no path
            JSON_PATCH | [{"op":"add","path":1}]                           | 400 | body: an operation of a JSON patch has no op or no path
            JSON_PATCH | [{"op":"add","path":["/x"]}]                      | 400 | body: an operation of a JSON patch has no op or no path
            JSON_PATCH | [{"op":"add","value":{"path":"/x"}}]              | 400 | body: an operation of a JSON patch has no op or no path
            XML_PATCH  | <Patient xmlns="http://hl7.org/fhir"/>            | 400 | body: an XML patch is a diff of add, replace and remove
            XML_PATCH  | <diff><x sel="Patient"/></diff>                   | 400 | body: an XML patch is a diff of add, replace and remove
            XML_PATCH  | <diff><add sel="document('http://x')//a"/></diff> | 400 | body: an XML patch must not read other documents
            XML_PATCH  | <diff><add sel="a[document ( 'x' )]"/></diff>     | 400 | body: an XML patch must not read other documents
            XML_PATCH  | <!DOCTYPE diff [<!ENTITY x SYSTEM "file:///etc/passwd">]><diff/> | 400 | body: XML must have no document type and no entities
            """)
    void refusesWhatIsNoPatch(FhirFormat format, String body, int status, String error) {
        assertRefused(() -> parser.parse(head("PATCH", "Patient/1", format), bytes(body)), status, error);
    }

    @Test
    void refusesDepthThatServersMayNotReach() {
        String json = """
                {"resourceType": "Patient", "x": %s}""";
        String xml = """
                <Patient xmlns="http://hl7.org/fhir">%s</Patient>""";

        assertThat(needs("POST", "Patient", FhirFormat.JSON, json.formatted(nested("{'a':", "1", "}", 99))))
                .isEqualTo("system/Patient.c");
        assertThat(needs("POST", "Patient", FhirFormat.XML, xml.formatted(nested("<a>", "", "</a>", 99))))
                .isEqualTo("system/Patient.c");
        for (int depth : new int[] {100, 100_000}) {
            assertTooDeep(FhirFormat.JSON, json.formatted(nested("{'a':", "1", "}", depth)));
            assertTooDeep(FhirFormat.JSON, json.formatted(nested("[{'a':", "1", "}]", depth)));
            assertTooDeep(FhirFormat.XML, xml.formatted(nested("<a>", "", "</a>", depth)));
            assertTooDeep(
                    FhirFormat.XML,
                    xml.formatted(nested("<div xmlns='http://www.w3.org/1999/xhtml'>", "", "</div>", depth)));
        }
    }

    private void assertTooDeep(FhirFormat format, String body) {
        assertRefused(
                () -> parser.parse(head("POST", "Patient", format), bytes(body)),
                413,
                "body: is nested more than 100 levels deep");
    }

    private static String nested(String open, String value, String close, int depth) {
        return (open.repeat(depth) + value + close.repeat(depth)).replace("{'a':", "{\"a\":");
    }

    @Test
    void boundsWhatItHoldsOfABody() {
        String json = """
                {"resourceType": "Binary", "%s": "%s"}""";
        String xml = """
                <Binary xmlns="http://hl7.org/fhir"><data value="%s"/></Binary>""";
        String tooLong = "a".repeat(5 << 20);

        assertThat(needs("POST", "Binary", FhirFormat.JSON, json.formatted("data", tooLong)))
                .isEqualTo("system/Binary.c");
        assertRefused(
                () -> parser.parse(head("POST", "Binary", FhirFormat.JSON), bytes(json.formatted("x", tooLong))),
                413,
                "body: a text has more than 1048576 characters, a name 256, or a number 256");
        assertRefused(
                () -> parser.parse(head("POST", "Binary", FhirFormat.JSON), bytes(json.formatted(tooLong, "x"))),
                413,
                "body: a text has more than 1048576 characters, a name 256, or a number 256");
        assertRefused(
                () -> parser.parse(head("POST", "Binary", FhirFormat.XML), bytes(xml.formatted(tooLong))),
                413,
                "body: an element of XML has more than 4194304 bytes");
        assertRefused(
                () -> parser.parse(head("POST", "Binary/_search", FhirFormat.FORM), bytes("_include=" + tooLong)),
                413,
                "form: more than 1048576 bytes");
        assertRefused(
                () -> parser.parse(
                        head("PATCH", "Binary/1", FhirFormat.XML_PATCH), bytes("<diff>" + tooLong + "</diff>")),
                413,
                "body: an XML patch has more than 1048576 bytes");
    }

    /** HAPI writes such a number digit by digit: a billion letters. */
    @ParameterizedTest
    @ValueSource(strings = {"1e99999", "1E+1000", "-1e-999999999", "0e999999999", "1.5e2147483648"})
    void refusesANumberThatFillsTheMemoryOfAServer(String number) {
        for (String body : List.of(
                """
                {"resourceType": "Observation", "valueQuantity": {"value": %s}}""",
                """
                {"resourceType": "Observation", "extra": [%s]}""")) {
            assertRefused(
                    () -> parser.parse(head("POST", "Observation", FhirFormat.JSON), bytes(body.formatted(number))),
                    413,
                    "body: a number has more than 256 digits, or an exponent above 999");
        }
        assertRefused(
                () -> parser.parse(
                        head("PATCH", "Observation/1", FhirFormat.JSON_PATCH),
                        bytes(
                                """
                                [{"op": "add", "path": "/valueQuantity/value", "value": %s}]"""
                                        .formatted(number))),
                413,
                "body: a number has more than 256 digits, or an exponent above 999");
    }

    @Test
    void takesTheNumbersOfFhir() {
        assertThat(
                        needs(
                                "POST",
                                "Observation",
                                FhirFormat.JSON,
                                """
                        {"resourceType": "Observation", "x": [1, -1.50, 1e999, 1E-20, 0.000000000000000001, 9007199254740993]}"""))
                .isEqualTo("system/Observation.c");
    }

    @Test
    void refusesADecimalOfManyDigits() {
        String json = """
                {"resourceType": "Observation", "valueQuantity": {"value": %s}}""";
        String xml =
                """
                <Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="%s"/></valueQuantity></Observation>""";
        String digits = "1".repeat(257);

        for (String number : List.of(digits, "'" + digits + "'", "'-0." + digits + "e-1'")) {
            assertThatThrownBy(() -> parser.parse(
                            head("POST", "Observation", FhirFormat.JSON),
                            bytes(json.formatted(number).replace('\'', '"'))))
                    .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                    .extracting(ProblemException::status)
                    .isEqualTo(413);
        }
        assertRefused(
                () -> parser.parse(head("POST", "Observation", FhirFormat.XML), bytes(xml.formatted(digits))),
                413,
                "body: a number has more than 256 digits, or an exponent above 999");
    }

    @Test
    void refusesAnObjectOfManyMembers() {
        StringBuilder members = new StringBuilder();
        for (int i = 0; i < 1_000; i++) {
            members.append(", \"a").append(i).append("\": 1");
        }
        assertRefused(
                () -> parser.parse(
                        head("POST", "Patient", FhirFormat.JSON),
                        bytes("""
                                {"resourceType": "Patient"%s}""".formatted(members))),
                413,
                "body: an object has more than 1000 members");
    }

    private String needs(String method, String url, FhirFormat format, String body) {
        return FhirParsers.needs(parser.parse(head(method, url, format), bytes(body)));
    }

    private static void assertRefused(ThrowingCallable request, int status, String error) {
        assertThatThrownBy(request)
                .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                .extracting(ProblemException::status, Throwable::getMessage)
                .containsExactly(status, error);
    }
}
