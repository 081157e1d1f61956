package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static routes.fhir.FhirParsers.bytes;
import static routes.fhir.FhirParsers.head;

import java.util.List;
import java.util.Set;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import routes.platform.error.ProblemException;

/** Requests that the URL alone decides. */
class FhirInteractionParserTest {

    private static final String EVERY_TYPE =
            "query: a parameter may reach every type, also a closed one; name the types that it reaches";

    private final FhirInteractionParser parser = FhirParsers.parser();

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            GET    | metadata                                     | ''
            GET    | metadata?mode=full                           | ''
            HEAD   | metadata                                     | ''
            GET    | Patient                                      | system/Patient.s
            HEAD   | Patient                                      | system/Patient.s
            GET    | Patient?                                     | system/Patient.s
            GET    | Patient?name=x&name=y                        | system/Patient.s
            GET    | Patient?name=x,y&birthdate=ge2000            | system/Patient.s
            GET    | Patient?identifier=http://a%7Cb              | system/Patient.s
            GET    | Patient/_search?name=x                       | system/Patient.s
            POST   | Patient/_search?name=x                       | system/Patient.s
            GET    | Patient/_history                             | system/Patient.s
            GET    | Patient/1                                    | system/Patient.r
            HEAD   | Patient/1                                    | system/Patient.r
            GET    | Patient/1?_format=json&_pretty=true          | system/Patient.r
            GET    | Patient/a.B-9                                | system/Patient.r
            GET    | Patient/...                                  | system/Patient.r
            GET    | Patient/1/_history                           | system/Patient.r
            GET    | Patient/1/_history?_count=5                  | system/Patient.r
            GET    | Patient/1/_history/2                         | system/Patient.r
            GET    | Patient/1/Observation                        | system/Observation.s
            GET    | Patient/1/Observation?code=x                 | system/Observation.s
            GET    | Patient/1/Observation/_search?code=x         | system/Observation.s
            GET    | Patient/1/$validate                          | system/Patient.r
            POST   | Patient/$validate                            | system/Patient.r
            POST   | Patient/1/$validate?mode=update              | system/Patient.r
            POST   | $validate                                    | system/*.r
            DELETE | Patient/1                                    | system/Patient.d
            DELETE | Patient/1?_format=json                       | system/Patient.d
            DELETE | Patient?identifier=a%7Cb                     | system/Patient.ds
            DELETE | Patient?_id=1                                | system/Patient.ds
            DELETE | Observation?subject:Patient.name=x           | system/Observation.ds system/Patient.s
            DELETE | SearchParameter/1                            | system/*.d
            GET    | SearchParameter/1                            | system/SearchParameter.r
            """)
    void needsWhatItsUrlSays(String method, String url, String needs) {
        assertThat(needs(method, url)).isEqualTo(needs);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            _include=Observation:subject:Patient                          | system/Observation.s system/Patient.s
            _include=Observation:patient                                  | system/Observation.s system/Patient.s
            _include=Observation:device                                   | system/Device.s system/DeviceMetric.s system/Observation.s
            _include:iterate=Patient:organization                         | system/Observation.s system/Organization.s
            _include:recurse=Patient:organization                         | system/Observation.s system/Organization.s
            _include:other=Patient:organization                           | system/Observation.s system/Organization.s
            _include=Observation:specimen&_include=Observation:encounter  | system/Encounter.s system/Observation.s system/Specimen.s
            _include=Observation:specimen,Observation:encounter           | system/Encounter.s system/Observation.s system/Specimen.s
            %5Finclude=Observation%3Aspecimen                             | system/Observation.s system/Specimen.s
            _revinclude=Provenance:target                                 | system/Observation.s system/Provenance.s
            _revinclude=Provenance:target:Observation                     | system/Observation.s system/Provenance.s
            _revinclude=Provenance:*                                      | system/Observation.s system/Provenance.s
            _revinclude:iterate=AuditEvent:entity                         | system/AuditEvent.s system/Observation.s
            subject=Patient/1                                             | system/Observation.s
            subject:Patient=1                                             | system/Observation.s
            subject:identifier=a                                          | system/Observation.s
            subject:missing=true                                          | system/Observation.s
            code:in=http://a                                              | system/CodeSystem.s system/Observation.s system/ValueSet.s
            code:text=a                                                   | system/Observation.s
            value-quantity=5.4%7Chttp://unitsofmeasure.org%7Cmg           | system/Observation.s
            code:not-in=ValueSet/1                                        | system/CodeSystem.s system/Observation.s system/ValueSet.s
            code:below=http://a%7Cb                                       | system/CodeSystem.s system/Observation.s
            code:above=b                                                  | system/CodeSystem.s system/Observation.s
            no-such:below=b                                               | system/CodeSystem.s system/Observation.s
            _security:below=b                                             | system/CodeSystem.s system/Observation.s
            _profile:below=http://a                                       | system/Observation.s
            instantiates-canonical:below=http://a                         | system/CodeSystem.s system/Observation.s
            subject:Location.partof:below=1                               | system/Location.s system/Observation.s
            _has:ValueSet:reference:url:below=http://a                    | system/Observation.s system/ValueSet.s
            subject:Patient.general-practitioner:above=1                  | system/Observation.s system/Organization.s system/Patient.s system/Practitioner.s system/PractitionerRole.s
            _has:Observation:derived-from:code:in=http://a                | system/CodeSystem.s system/Observation.s system/ValueSet.s
            no-such-parameter=a                                           | system/Observation.s
            subject:mdm=Patient/1                                         | system/*.s system/Observation.s
            subject:Nothing=1                                             | system/*.s system/Observation.s
            subject:Patient.name=a                                        | system/Observation.s system/Patient.s
            subject%3APatient%2Ename=a                                    | system/Observation.s system/Patient.s
            subject:Patient.name:exact=a                                  | system/Observation.s system/Patient.s
            subject:Patient.organization.name=a                           | system/Observation.s system/Organization.s system/Patient.s
            subject:Patient.organization:Organization.partof.name=a       | system/Observation.s system/Organization.s system/Patient.s
            subject:Patient.general-practitioner:Practitioner.name=a      | system/Observation.s system/Patient.s system/Practitioner.s
            patient.name=a                                                | system/Observation.s system/Patient.s
            subject.name=a                                                | system/Device.s system/Group.s system/Location.s system/Observation.s system/Patient.s
            subject:Patient._has:Encounter:patient:class=a                | system/Encounter.s system/Observation.s system/Patient.s
            _has:Provenance:target:agent=a                                | system/Observation.s system/Provenance.s
            _has:Provenance:target:_has:AuditEvent:entity:agent=a         | system/AuditEvent.s system/Observation.s system/Provenance.s
            _has:Observation:derived-from:patient.name=a                  | system/Observation.s system/Patient.s
            _has:Observation:derived-from:subject:Device.type=a           | system/Device.s system/Observation.s
            _sort=-date,code                                              | system/Observation.s
            _sort=subject.name                                            | system/Device.s system/Group.s system/Location.s system/Observation.s system/Patient.s
            _sort=-Patient:subject.name                                   | system/Observation.s system/Patient.s
            _sort=subject:Patient.name                                    | system/Observation.s system/Patient.s
            _sort:desc=patient.name                                       | system/Observation.s system/Patient.s
            _type=Patient,Encounter                                       | system/Encounter.s system/Observation.s system/Patient.s
            _list=1                                                       | system/List.s system/Observation.s
            _contained=false                                              | system/Observation.s
            _elements=id,code&_elements:exclude=text&_summary=true        | system/Observation.s
            _count=5&_offset=10&_total=accurate&_lastUpdated=ge2020       | system/Observation.s
            """)
    void needsThePermissionForEachTypeThatASearchReaches(String query, String needs) {
        assertThat(needs("GET", "Observation?" + query)).isEqualTo(needs);
        assertThat(FhirParsers.needs(parser.parse(head("POST", "Observation/_search", FhirFormat.FORM), bytes(query))))
                .as("as a form")
                .isEqualTo(needs);
        assertThat(needs("GET", "Patient/1/Observation?" + query))
                .as("in a compartment")
                .isEqualTo(needs);
    }

    /** A closed type would come out too. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "_include=Observation:*:Observation",
                "_include=*",
                "_include=Observation:*",
                "_include=Observation:subject:*",
                "_include=Observation:subject:",
                "_include=Observation:subject:patient",
                "_include=Observation:subject:Patient:x",
                "_include=Observation:focus",
                "_include=Observation:no-such",
                "_include=observation:specimen",
                "_include=specimen",
                "_include=",
                "_include=Observation:code",
                "_revinclude=*",
                "_revinclude=Nothing:target",
                "subject:patient.name=a",
                "subject:identifier.name=a",
                "focus.name=a",
                "no-such.name=a",
                "code.name=a",
                "_has:observation:derived-from:code=a",
                "_has:Nothing:target:agent=a",
                "_type=Nothing",
                "_in=Group/1",
                "_contained=true",
                "_contained=both"
            })
    void refusesASearchThatMayReachEveryType(String query) {
        for (String url : List.of("Observation?", "Patient/1/Observation?")) {
            assertRefused("GET", url + query, 403, EVERY_TYPE);
        }
        assertProblem(
                () -> parser.parse(head("POST", "Observation/_search", FhirFormat.FORM), bytes(query)),
                403,
                EVERY_TYPE);
    }

    @Test
    void limitsAPageAtAnOffset() {
        for (String taken : List.of(
                "_count=1000&_offset=0", "_offset=5&_count=0010", "_count=5000", "_count=&_offset=1", "_offset=1")) {
            assertThat(needs("GET", "Patient?" + taken)).isEqualTo("system/Patient.s");
        }
        for (String refused : List.of(
                "_count=1001&_offset=0",
                "_offset=&_count=99999",
                "_count=1&_offset=0&_count=%2B99999",
                "_count=0x9&_offset=1")) {
            for (String path : List.of("Patient", "Patient/_history", "Patient/1/_history")) {
                assertRefused("GET", path + "?" + refused, 400, "query: _count must be at most 1000 with _offset");
            }
        }
    }

    @Test
    void needsWhatTheUrlAndTheFormOfASearchSay() {
        assertThat(FhirParsers.needs(parser.parse(
                        head("POST", "Observation/_search?_include=Observation:specimen", FhirFormat.FORM),
                        bytes("_revinclude=Provenance:target&note=%C3%A9&note=\u00e9"))))
                .isEqualTo("system/Observation.s system/Provenance.s system/Specimen.s");
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            GET    | Nothing                            | 404 | the path is none of a FHIR R4 server
            GET    | patient                            | 404 | the path is none of a FHIR R4 server
            GET    | PATIENT/1                          | 404 | the path is none of a FHIR R4 server
            GET    | SubscriptionTopic/1                | 404 | the path is none of a FHIR R4 server
            GET    | Patient/                           | 404 | the path is none of a FHIR R4 server
            GET    | Patient//1                         | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/                         | 404 | the path is none of a FHIR R4 server
            GET    | /Patient/1                         | 404 | the path is none of a FHIR R4 server
            GET    | Patient/.                          | 404 | the path is none of a FHIR R4 server
            GET    | Patient/..                         | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/..                       | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1;x                        | 404 | the path is none of a FHIR R4 server
            GET    | Patient;x=y/1                      | 404 | the path is none of a FHIR R4 server
            GET    | Patient/a_b                        | 404 | the path is none of a FHIR R4 server
            GET    | Patient/a%62                       | 404 | the path is none of a FHIR R4 server
            GET    | Patient/a b                        | 404 | the path is none of a FHIR R4 server
            GET    | Patient/é                          | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/_history/                | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/_history/2/3             | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/_history/_search         | 404 | the path is none of a FHIR R4 server
            GET    | Patient/_history/2                 | 404 | the path is none of a FHIR R4 server
            GET    | Patient/_search/1                  | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/_search                  | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/Nothing                  | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/Observation/2            | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/*/_search                | 404 | the path is none of a FHIR R4 server
            GET    | Observation/1/Patient              | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/_tags                    | 404 | the path is none of a FHIR R4 server
            GET    | metadata/1                         | 404 | the path is none of a FHIR R4 server
            GET    | _history/1                         | 404 | the path is none of a FHIR R4 server
            GET    | .well-known/smart-configuration    | 404 | the path is none of a FHIR R4 server
            GET    | Nothing/$validate                  | 404 | the path is none of a FHIR R4 server
            GET    | Patient/a_b/$validate              | 404 | the path is none of a FHIR R4 server
            GET    | Patient/1/_history/2/$validate     | 404 | the path is none of a FHIR R4 server
            GET    | Patient/$validate/1                | 404 | the path is none of a FHIR R4 server
            POST   | _search                            | 403 | a search of all types is closed
            GET    | _search?_type=Patient              | 403 | a search of all types is closed
            GET    | ''                                 | 403 | a search of all types is closed
            GET    | ?_type=Patient                     | 403 | a search of all types is closed
            GET    | ?_id=1                             | 403 | a search of all types is closed
            GET    | ?_getpages=1                       | 403 | query: a page link works only as it was given
            GET    | ?%5Fgetpages=1                     | 403 | query: a page link works only as it was given
            GET    | ?x=1&_getpages                     | 403 | query: a page link works only as it was given
            GET    | ??_getpages=1                      | 400 | query: begins with a second question mark
            GET    | Patient??_getpages=1               | 400 | query: begins with a second question mark
            GET    | ?_GETPAGES=1                       | 403 | query: a page link works only as it was given
            HEAD   | ?_getpages=1                       | 403 | query: a page link works only as it was given
            GET    | Subscription                       | 403 | Subscription is closed
            GET    | Subscription/1                     | 403 | Subscription is closed
            DELETE | Subscription/1                     | 403 | Subscription is closed
            GET    | Subscription/1/_history            | 403 | Subscription is closed
            GET    | Patient?_revinclude=Subscription:x | 403 | Subscription is closed
            GET    | Patient?_has:Subscription:x:y=1    | 403 | Subscription is closed
            GET    | Patient/1/$everything              | 403 | the operation is closed
            POST   | Patient/1/$meta-add                | 403 | the operation is closed
            POST   | $expunge                           | 403 | the operation is closed
            POST   | Patient/$expunge                   | 403 | the operation is closed
            GET    | Patient/1/$graphql?query=x         | 403 | the operation is closed
            GET    | $graphql?query=x                   | 403 | the operation is closed
            GET    | Patient/$VALIDATE                  | 403 | the operation is closed
            GET    | Subscription/1/$validate           | 403 | Subscription is closed
            DELETE | Patient/$validate                  | 405 | the path takes the methods GET, HEAD, POST
            PUT    | _history                           | 405 | the path takes the methods GET, HEAD
            POST   | metadata                           | 405 | the path takes the methods GET, HEAD
            POST   | Patient/1                          | 405 | the path takes the methods GET, HEAD, PUT, PATCH, DELETE
            DELETE | Patient/1/_history                 | 405 | the path takes the methods GET, HEAD
            DELETE | Patient/1/_history/2               | 405 | the path takes the methods GET, HEAD
            PUT    | Patient/1/_history/2               | 405 | the path takes the methods GET, HEAD
            PUT    | Patient/_search                    | 405 | the path takes the methods GET, HEAD, POST
            DELETE | Patient/1/Observation              | 405 | the path takes the methods GET, HEAD
            DELETE | ''                                 | 405 | the path takes the methods GET, HEAD, POST
            PUT    | ?_getpages=1                       | 405 | the path takes the methods GET, HEAD, POST
            OPTIONS| Patient                            | 405 | the path takes the methods GET, HEAD, POST, PUT, PATCH, DELETE
            TRACE  | Patient                            | 405 | the path takes the methods GET, HEAD, POST, PUT, PATCH, DELETE
            GET,   | Patient                            | 405 | the path takes the methods GET, HEAD, POST, PUT, PATCH, DELETE
            get    | Patient                            | 405 | the path takes the methods GET, HEAD, POST, PUT, PATCH, DELETE
            DELETE | Patient                            | 400 | the condition has no search parameter
            DELETE | Patient?                           | 400 | the condition has no search parameter
            DELETE | Patient?_format=json               | 400 | the condition has no search parameter
            DELETE | Patient?_count=1&_sort=name        | 400 | the condition has no search parameter
            DELETE | Patient?name=                      | 400 | the condition has no search parameter
            DELETE | Patient/1?_summary=true&_elements=id | 400 | query: a write takes no _summary and no _elements
            DELETE | Patient/1?_summary=text,data         | 400 | query: a write takes no _summary and no _elements
            DELETE | Patient?name=a&_elements=id          | 400 | query: a write takes no _summary and no _elements
            DELETE | Patient?name=%20                   | 400 | the condition has no search parameter
            DELETE | Patient?_foo=1                     | 400 | the condition has no search parameter
            DELETE | Patient/1?name=x                   | 400 | query: this interaction takes no condition
            DELETE | Patient?name=x&_expunge=true       | 403 | query: parameter _expunge is closed
            DELETE | Patient/1?_cascade=delete          | 403 | query: parameter _cascade is closed
            GET    | Patient?_getpages=1                | 403 | query: a page link works only as it was given
            GET    | Patient?_getpagesoffset=1          | 403 | query: a page link works only as it was given
            GET    | Patient?%5Fgetpages=1              | 403 | query: a page link works only as it was given
            GET    | Patient?_GetPages=1                | 403 | query: a page link works only as it was given
            GET    | Patient/1?_getpages=1              | 403 | query: a page link works only as it was given
            GET    | metadata?_getpages=1               | 403 | query: a page link works only as it was given
            POST   | ?_getpages=1                       | 400 | query: a bundle takes no condition
            GET    | _history                           | 403 | the history or the compartment of all types is closed
            HEAD   | _history?_type=Patient             | 403 | the history or the compartment of all types is closed
            GET    | Encounter/1/*                      | 403 | the history or the compartment of all types is closed
            GET    | Patient?_filter=name+eq+x          | 403 | query: parameter _filter is closed
            GET    | Patient?_query=x                   | 403 | query: parameter _query is closed
            GET    | Patient?_QUERY=x                   | 403 | query: parameter _query is closed
            GET    | Patient?name=%                     | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=%4                    | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=%zz                   | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=%-1                   | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=%ff                   | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=%C0%AF                | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=%ED%A0%80             | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?%ff=x                      | 400 | query: is not percent-encoded UTF-8
            GET    | Patient?name=é                     | 400 | query: has characters that must be percent-encoded
            GET    | Patient?name=a b                   | 400 | query: has characters that must be percent-encoded
            GET    | Patient?name=a#b                   | 400 | query: has characters that must be percent-encoded
            GET    | Patient?_has:Observation=x         | 400 | query: _has must be _has:Type:reference:parameter
            GET    | Patient?_has:Observation:x=x       | 400 | query: _has must be _has:Type:reference:parameter
            """)
    void refuses(String method, String url, int status, String error) {
        assertRefused(method, url, status, error);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            _getpages=1                                                  | system/Group.s
            _getpages=1&_getpagesoffset=10&_count=5&_bundletype=searchset | system/Group.s
            _pageId=2&_getpages=1&_format=json&_pretty=true&_offset=1    | system/Group.s
            _getpages=1&_include=Patient:organization                    | system/Group.s system/Organization.s
            """)
    void needsTheSearchOfAPageLink(String query, String needs) {
        assertThat(FhirParsers.needs(parser.parsePage(query, Set.of(new FhirPermission('s', "Group")))))
                .isEqualTo(needs);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "_count=1",
                "_getpages=1&_getpages=2",
                "_getpages=1&%5Fgetpages=2",
                "_getpages=1&?_getpages=2",
                "_getpages=1&name=x",
                "_getpages=1&_revinclude=Provenance:target",
                "_getpages=1&_include:iterate=Patient:organization"
            })
    void refusesWhatAPageLinkDoesNotHave(String query) {
        assertProblem(() -> parser.parsePage(query, Set.of()), 400, "query: is not that of a page link");
    }

    @Test
    void refusesAPageLinkBehindASecondQuestionMark() {
        assertProblem(
                () -> parser.parsePage("?_getpages=2&_getpages=1", Set.of()),
                400,
                "query: begins with a second question mark");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "%61"})
    void refusesMoreParametersThanServersRead(String name) {
        assertRefused("GET", "Patient?" + (name + "&").repeat(1001), 413, "query: more than 1000 parameters");
    }

    @ParameterizedTest
    @ValueSource(strings = {"partof.", "_has:Organization:partof:"})
    void refusesAChainOfManyLinks(String link) {
        assertRefused(
                "GET",
                "Organization?" + link.repeat(100_000) + "name=x",
                400,
                "query: a parameter has more than 10 links");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Observation?value-quantity=1e99999",
                "Observation?value-quantity=ge1e99999",
                "Observation?value-quantity=5,1e-99999%7C%7Cmg",
                "Observation?value-quantity:missing=1e99999",
                "Observation?code-value-quantity=a$1e99999",
                "RiskAssessment?probability=gt1e99999",
                "Patient?_has:Observation:subject:value-quantity=1e99999",
                "DiagnosticReport?result.value-quantity=1e99999"
            })
    void refusesASearchForANumberThatFillsTheMemoryOfAServer(String url) {
        assertRefused("GET", url, 413, "query: a number has more than 256 digits, or an exponent above 999");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Observation?_id=550e8400",
                "Observation?identifier=a%7C123e45678",
                "Observation?value-quantity=5.4e-3%7Chttp://unitsofmeasure.org%7Cmg",
                "Observation?value-quantity=ap100"
            })
    void takesTheIdsAndNumbersOfFhir(String url) {
        assertThat(needs("GET", url)).isEqualTo("system/Observation.s");
    }

    @Test
    void refusesAnIdOfMoreThan64Letters() {
        assertThat(needs("GET", "Patient/" + "a".repeat(64))).isEqualTo("system/Patient.r");
        assertRefused("GET", "Patient/" + "a".repeat(65), 404, "the path is none of a FHIR R4 server");
    }

    @Test
    void tellsTypeAndIdOfAnInteraction() {
        assertThat(List.of(
                        one("GET", "Patient/1"),
                        one("DELETE", "Patient?name=x"),
                        one("GET", "Patient/1/Observation"),
                        parser.parsePage("_getpages=1", Set.of())))
                .extracting(FhirInteraction::type, FhirInteraction::id, FhirInteraction::isWrite)
                .containsExactly(
                        tuple("Patient", "1", false),
                        tuple("Patient", null, true),
                        tuple("Observation", null, false),
                        tuple(null, null, false));
    }

    private String needs(String method, String url) {
        return FhirParsers.needs(one(method, url));
    }

    private FhirInteraction one(String method, String url) {
        List<FhirInteraction> interactions = parser.parse(head(method, url, FhirFormat.NONE), new byte[0]);
        assertThat(interactions).hasSize(1);
        return interactions.get(0);
    }

    private void assertRefused(String method, String url, int status, String error) {
        assertProblem(() -> parser.parse(head(method, url, FhirFormat.NONE), new byte[0]), status, error);
    }

    private static void assertProblem(ThrowingCallable request, int status, String error) {
        assertThatThrownBy(request)
                .asInstanceOf(InstanceOfAssertFactories.type(ProblemException.class))
                .extracting(ProblemException::status, Throwable::getMessage)
                .containsExactly(status, error);
    }
}
