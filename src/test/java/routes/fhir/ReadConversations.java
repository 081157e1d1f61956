package routes.fhir;

import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.SearchStyleEnum;
import ca.uhn.fhir.rest.api.SummaryEnum;
import java.nio.charset.StandardCharsets;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.Binary;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.DateType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Organization;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;
import org.springframework.http.HttpHeaders;
import org.springframework.web.util.UriUtils;
import routes.RawHttp;

/** The interactions that change nothing, and the mistakes of clients. */
final class ReadConversations {

    private static final int PAGE = 3;
    private static final String FORM = "Content-Type: application/x-www-form-urlencoded";

    private ReadConversations() {}

    static List<Conversation> all() {
        return List.of(
                new Conversation("history", ReadConversations::history),
                new Conversation("fresh copies", ReadConversations::freshness),
                new Conversation("binaries", ReadConversations::binaries),
                new Conversation("searches", ReadConversations::searches),
                new Conversation("linked resources", ReadConversations::links),
                new Conversation("pages", ReadConversations::pages),
                new Conversation("capabilities and validation", ReadConversations::capabilities),
                new Conversation("HEAD", ReadConversations::head),
                new Conversation("mistakes", ReadConversations::mistakes));
    }

    private static Bundle search(FhirCaller caller, String step, String url) {
        return caller.ask(step, () -> caller.client()
                .search()
                .byUrl(url)
                .returnBundle(Bundle.class)
                .execute());
    }

    private static Bundle page(FhirCaller caller, String step, Bundle bundle, String relation) {
        return caller.ask(
                step,
                () -> relation.equals("next")
                        ? caller.client().loadPage().next(bundle).execute()
                        : caller.client().loadPage().previous(bundle).execute());
    }

    private static void history(FhirCaller caller) {
        Patient patient = WriteConversations.patient(caller, "");
        MethodOutcome created = caller.ask(
                "create", () -> caller.client().create().resource(patient).execute());
        Date since = created.getResource().getMeta().getLastUpdated();
        IIdType id = created.getId().toUnqualifiedVersionless();
        patient.setId(id);
        for (int i = 2; i <= 7; i++) {
            patient.getNameFirstRep().setText("version " + i);
            caller.ask(
                    "update " + i,
                    () -> caller.client().update().resource(patient).execute());
        }
        Bundle all = caller.ask("of an instance", () -> caller.client()
                .history()
                .onInstance(id)
                .returnBundle(Bundle.class)
                .count(PAGE)
                .execute());
        all = page(caller, "of an instance, page 2", all, "next");
        page(caller, "of an instance, page 3", all, "next");
        caller.ask("of an instance since", () -> caller.client()
                .history()
                .onInstance(id)
                .returnBundle(Bundle.class)
                .since(since)
                .execute());
        Bundle ofType = caller.ask("of a type", () -> caller.client()
                .history()
                .onType(Patient.class)
                .returnBundle(Bundle.class)
                .since(since)
                .count(PAGE)
                .execute());
        page(caller, "of a type, page 2", ofType, "next");
        caller.ask("of the server", () -> caller.client()
                .history()
                .onServer()
                .returnBundle(Bundle.class)
                .since(since)
                .count(PAGE)
                .execute());
        caller.send("at an offset", "GET /%s/_history?_offset=2&_count=1000".formatted(id.getValue()), null);
        caller.send("with a malformed time", "GET /Patient/_history?_since=yesterday", null);
        caller.send("of an unknown instance", "GET /Patient/%s-none/_history".formatted(caller.mark()), null);
        caller.send("at a time", "GET /%s/_history?_at=gt2020-01-01&_count=2".formatted(id.getValue()), null);
    }

    private static void freshness(FhirCaller caller) {
        IIdType id = WriteConversations.create(caller, "create", WriteConversations.patient(caller, ""));
        String read = "GET /" + id.getValue();
        RawHttp.Answer first = caller.send("read", read, null);
        String modified = FhirCaller.header(first, HttpHeaders.LAST_MODIFIED);
        caller.send("the same version", read, null, "If-None-Match: W/\"1\"");
        caller.send("another version", read, null, "If-None-Match: W/\"7\"");
        caller.send("one of two versions", read, null, "If-None-Match: W/\"7\", W/\"1\"");
        caller.send("not modified since", read, null, "If-Modified-Since: " + secondAfter(modified));
        caller.send("modified since", read, null, "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT");
        caller.send("a malformed time", read, null, "If-Modified-Since: yesterday");
        caller.send("the version, not modified", read + "/_history/1", null, "If-None-Match: W/\"1\"");
        for (String shape :
                List.of("_summary=text", "_summary=count", "_summary=data", "_summary=true", "_elements=id")) {
            caller.send("read with " + shape, read + "?" + shape, null);
            caller.send("read a version with " + shape, read + "/_history/1?" + shape, null);
        }
        caller.send("without a stored answer", read, null, "Cache-Control: no-cache, no-store");
    }

    /** Of the time of a version, the header has only the seconds. */
    private static String secondAfter(String time) {
        DateTimeFormatter format = DateTimeFormatter.RFC_1123_DATE_TIME;
        return ZonedDateTime.parse(time, format).plusSeconds(1).format(format);
    }

    private static void binaries(FhirCaller caller) {
        Binary picture = new Binary();
        picture.setContentType("image/png").setData(new byte[] {(byte) 0x89, 'P', 'N', 'G', 0, (byte) 0xff, '<', '{'});
        Binary list = new Binary();
        list.setContentType("application/json").setData("[1,2]".getBytes(StandardCharsets.UTF_8));
        String read = "GET " + createBinary(caller, "create a picture", picture);
        caller.send("read the resource", read, null);
        caller.send("read the picture", read, null, "Accept: image/png");
        caller.send("read anything", read, null, "Accept: */*");
        String readList = "GET " + createBinary(caller, "create JSON", list);
        caller.send("read the JSON", readList, null, "Accept: */*");
        caller.send("read the JSON as plain JSON", readList, null, "Accept: application/json");
        uploads(caller);
    }

    private static void uploads(FhirCaller caller) {
        String document = "%PDF-1.4 é {\"reference\":\"Patient?name=x\"} <!DOCTYPE";
        String[] kinds = {"application/pdf", "text/plain; charset=iso-8859-1", "image/svg+xml", "application/dicom+json"
        };
        for (String kind : kinds) {
            RawHttp.Answer created = caller.send("upload " + kind, "POST /Binary", document, "Content-Type: " + kind);
            String path = FhirCaller.header(created, HttpHeaders.LOCATION)
                    .substring(caller.base().length())
                    .replaceFirst("/_history.*", "");
            caller.send("read as it was sent: " + kind, "GET " + path, null, "Accept: */*");
            caller.send("read a version: " + kind, "GET " + path + "/_history/1", null, "Accept: " + kind);
            caller.send(
                    "upload another: " + kind, "PUT " + path, document + "2", "Content-Type: " + kind, "Accept: */*");
            caller.send("read the other: " + kind, "GET " + path, null, "Accept: " + kind);
        }
        caller.send(
                "upload and accept anything",
                "POST /Binary",
                document,
                "Content-Type: application/pdf",
                "Accept: */*",
                "Prefer: return=representation");
        caller.send("upload to a new id", "PUT /Binary/" + caller.mark(), document, "Content-Type: application/pdf");
        caller.send("find an upload", "GET /Binary?_id=" + caller.mark(), null);
    }

    /** Sends a resource; HAPI's client would send its data alone, which the facade refuses. */
    private static String createBinary(FhirCaller caller, String step, Binary binary) {
        String location =
                FhirCaller.header(caller.send(step, "POST /Binary", caller.encode(binary)), HttpHeaders.LOCATION);
        return location.substring(caller.base().length(), location.indexOf("/_history"));
    }

    private static void searches(FhirCaller caller) {
        String mark = caller.mark();
        String[] families = {"Müller", "Ångström", "Zoë"};
        for (int i = 0; i < families.length; i++) {
            Patient patient = WriteConversations.patient(caller, "-" + i);
            patient.getNameFirstRep().setFamily(mark + families[i]);
            patient.setBirthDateElement(new DateType("199" + i + "-01-01"));
            WriteConversations.create(caller, "create " + i, patient);
        }
        String unsorted = "Patient?family=" + mark;
        String all = unsorted + "&_sort=identifier";
        String umlaut = UriUtils.encode(mark + "Müller", "UTF-8");
        String token = "/Patient?identifier=" + WriteConversations.SYSTEM;
        search(caller, "all", all);
        search(caller, "an umlaut", "Patient?family=" + umlaut);
        search(caller, "sorted", unsorted + "&_sort=family");
        search(caller, "sorted backwards by two", unsorted + "&_sort=-birthdate,family");
        search(caller, "a parameter that repeats", all + "&birthdate=ge1991-01-01&birthdate=le1991-12-31");
        search(caller, "a range that ends", all + "&birthdate=lt1991");
        search(caller, "a missing element", all + "&gender:missing=true");
        search(caller, "an exact text", "Patient?family:exact=" + umlaut);
        search(caller, "no match", unsorted + "-none");
        search(caller, "an empty value", all + "&gender=");
        caller.send(
                "one of two tokens",
                "GET " + token + "%7C" + mark + "-0," + WriteConversations.SYSTEM + "%7C" + mark
                        + "-1&_sort=identifier",
                null);
        caller.send("a raw bar", "GET " + token + "|" + mark + "-0", null);
        caller.send("an encoded comma", "GET /Patient?family=" + mark + "a%5C%2Cb", null);
        caller.send("a plus", "GET /Patient?given=Ada+Ada&family=" + mark, null);
        caller.send("a form", "POST /Patient/_search", "family=" + umlaut + "&_count=2&_sort=identifier", FORM);
        caller.send("a form with a raw umlaut", "POST /Patient/_search", "family=" + mark + "Müller", FORM);
        caller.send(
                "a form that repeats",
                "POST /Patient/_search",
                "family=" + mark + "&birthdate=ge1991&birthdate=lt1992",
                FORM);
        caller.send("a form beside a query", "POST /Patient/_search?_sort=-birthdate", "family=" + mark, FORM);
        caller.send("an empty form", "POST /Patient/_search?_sort=identifier&family=" + mark, "", FORM);
        caller.send("GET with _search", "GET /Patient/_search?_sort=identifier&family=" + mark, null);
        caller.send("pretty", "GET /" + all + "&_pretty=true", null);
        caller.send("another format", "GET /" + all + "&_format=xml", null);
        caller.send("a long name of a format", "GET /" + all + "&_format=application/fhir%2Bjson", null);
        for (SummaryEnum summary : SummaryEnum.values()) {
            caller.ask("a summary: " + summary, () -> caller.client()
                    .search()
                    .byUrl(all)
                    .summaryMode(summary)
                    .returnBundle(Bundle.class)
                    .execute());
        }
        caller.ask("some elements", () -> caller.client()
                .search()
                .byUrl(all)
                .elementsSubset("birthDate", "identifier")
                .returnBundle(Bundle.class)
                .execute());
        caller.ask("by HAPI's form", () -> caller.client()
                .search()
                .forResource(Patient.class)
                .where(Patient.FAMILY.matches().value(mark + "Müller"))
                .usingStyle(SearchStyleEnum.POST)
                .returnBundle(Bundle.class)
                .execute());
        search(caller, "a count of none", all + "&_count=0");
        search(caller, "an accurate total", all + "&_total=accurate&_count=1");
        caller.send("an unknown parameter", "GET /" + all + "&nothing=1", null);
        caller.send("a malformed date", "GET /" + all + "&birthdate=yesterday", null);
        caller.send("an unknown modifier", "GET /" + all + "&gender:nothing=1", null);
    }

    private static void links(FhirCaller caller) {
        String mark = caller.mark();
        Organization organization = new Organization();
        organization.setName(mark);
        IIdType hospital = WriteConversations.create(caller, "create an organization", organization);
        Patient patient = WriteConversations.patient(caller, "");
        patient.setManagingOrganization(new Reference(hospital.getValue()));
        patient.getNameFirstRep().setFamily(mark);
        IIdType id = WriteConversations.create(caller, "create a patient", patient);
        Observation pulse = WriteConversations.observation(id.getValue());
        WriteConversations.create(caller, "create an observation", pulse);
        search(caller, "_include", "Observation?subject=" + id.getValue() + "&_include=Observation:subject");
        search(
                caller,
                "_include and iterate",
                "Observation?subject=" + id.getValue()
                        + "&_include=Observation:subject&_include:iterate=Patient:organization");
        search(caller, "_include all", "Observation?subject=" + id.getValue() + "&_include=*");
        search(caller, "_revinclude", "Patient?_id=" + id.getIdPart() + "&_revinclude=Observation:subject");
        search(caller, "_revinclude all", "Patient?_id=" + id.getIdPart() + "&_revinclude=*");
        search(caller, "a chain", "Observation?subject:Patient.family=" + mark);
        search(caller, "a chain of two", "Observation?subject:Patient.organization.name=" + mark);
        search(caller, "a chain without a type", "Observation?patient.family=" + mark);
        search(caller, "_has", "Patient?family=" + mark + "&_has:Observation:subject:status=final");
        caller.send("a compartment", "GET /" + id.getValue() + "/Observation", null);
        caller.send("a compartment with a condition", "GET /" + id.getValue() + "/Observation?status=final", null);
        caller.send("an unknown include", "GET /Observation?_include=Observation:nothing&_id=" + mark, null);
    }

    private static void pages(FhirCaller caller) {
        String family = caller.mark();
        for (int i = 0; i < 2 * PAGE + 1; i++) {
            Patient patient = WriteConversations.patient(caller, "-" + i);
            patient.getNameFirstRep().setFamily(family);
            WriteConversations.create(caller, "create " + i, patient);
        }
        Bundle first = search(caller, "page 1", "Patient?family=" + family + "&_count=" + PAGE + "&_sort=identifier");
        Bundle second = page(caller, "page 2", first, "next");
        page(caller, "page 3", second, "next");
        page(caller, "page 1 again", second, "previous");
        Bundle form = caller.ask("page 1 of a form", () -> caller.client()
                .search()
                .forResource(Patient.class)
                .where(Patient.FAMILY.matches().value(family))
                .count(PAGE)
                .sort()
                .ascending(Patient.IDENTIFIER)
                .usingStyle(SearchStyleEnum.POST)
                .returnBundle(Bundle.class)
                .execute());
        page(caller, "page 2 of a form", form, "next");
        Bundle summary = search(
                caller, "page 1 of a summary", "Patient?family=" + family + "&_sort=identifier&_count=5&_summary=true");
        page(caller, "page 2 of a summary", summary, "next");
        Bundle elements = search(
                caller,
                "page 1 of elements",
                "Patient?family=" + family + "&_sort=identifier&_count=5&_elements=birthDate");
        page(caller, "page 2 of elements", elements, "next");
        search(caller, "by offset", "Patient?family=" + family + "&_count=2&_offset=2&_sort=identifier");
        Bundle included = search(
                caller,
                "page 1 with includes",
                "Patient?family=" + family + "&_sort=identifier&_count=5&_include=Patient:organization");
        page(caller, "page 2 with includes", included, "next");
        caller.send("a page that is gone", "GET ?_getpages=" + UUID.randomUUID() + "&_getpagesoffset=3", null);
    }

    private static void capabilities(FhirCaller caller) {
        caller.ask("capabilities", () -> caller.client()
                .capabilities()
                .ofType(CapabilityStatement.class)
                .execute());
        caller.send("capabilities as a summary", "GET /metadata?_summary=true", null);
        Patient patient = WriteConversations.patient(caller, "");
        caller.ask(
                "validate a patient",
                () -> caller.client().validate().resource(patient).execute());
        String invalid = caller.encode(new Observation());
        caller.send("validate an observation without a status", "POST /Observation/$validate", invalid);
        IIdType id = WriteConversations.create(caller, "create", patient);
        caller.send("validate what is stored", "GET /" + id.getValue() + "/$validate", null);
        caller.send("validate what is stored by POST", "POST /" + id.getValue() + "/$validate", "");
    }

    private static void head(FhirCaller caller) {
        IIdType id = WriteConversations.create(caller, "create", WriteConversations.patient(caller, ""));
        caller.send("read", "HEAD /" + id.getValue(), null);
        caller.send("read a version", "HEAD /" + id.getValue() + "/_history/1", null);
        caller.send("read the unknown", "HEAD /Patient/" + caller.mark() + "-none", null);
        caller.send("search", "HEAD /Patient?_id=" + id.getIdPart(), null);
        caller.send("capabilities", "HEAD /metadata", null);
    }

    private static void mistakes(FhirCaller caller) {
        String mark = caller.mark();
        String patient = caller.encode(WriteConversations.patient(caller, ""));
        caller.send("an unknown type", "GET /Nothing/1", null);
        caller.send("search an unknown type", "GET /Nothing?a=1", null);
        caller.send("create an unknown type", "POST /Nothing", patient);
        caller.send("a path that is too long", "GET /Patient/a/b/c/d", null);
        caller.send("a malformed id", "GET /Patient/a_b", null);
        caller.send(
                "malformed JSON",
                "POST /Patient",
                "{\"resourceType\":\"Patient\"",
                "Content-Type: application/fhir+json");
        caller.send(
                "malformed XML",
                "POST /Patient",
                "<Patient xmlns=\"http://hl7.org/fhir\">",
                "Content-Type: application/fhir+xml");
        caller.send("a body that is no resource", "POST /Patient", "{}", "Content-Type: application/fhir+json");
        caller.send("an empty body", "POST /Patient", "");
        caller.send("a resource of another type", "POST /Observation", patient);
        caller.send(
                "a resource with another id",
                "PUT /Patient/" + mark + "-a",
                patient.replace(
                                "\"resourceType\":\"Patient\",",
                                "\"resourceType\":\"Patient\",\"id\":\"" + mark + "-b\",")
                        .replace(
                                "<Patient xmlns=\"http://hl7.org/fhir\">",
                                "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"" + mark + "-b\"/>"));
        caller.send("a resource without its id", "PUT /Patient/" + mark + "-a", patient);
        caller.send(
                "an element that does not exist",
                "POST /Patient",
                """
                {"resourceType":"Patient","nothing":"x"}""",
                "Content-Type: application/fhir+json");
        caller.send(
                "a value of another type",
                "POST /Patient",
                """
                {"resourceType":"Patient","active":"yes"}""",
                "Content-Type: application/fhir+json");
        caller.send(
                "an unknown code",
                "POST /Patient",
                """
                {"resourceType":"Patient","gender":"nothing"}""",
                "Content-Type: application/fhir+json");
        caller.send("plain text", "POST /Patient", "hello", "Content-Type: text/plain");
        caller.send("an unacceptable format", "GET /Patient?_id=" + mark, null, "Accept: text/csv");
        caller.send("every format", "GET /Patient?_id=" + mark, null, "Accept: */*");
        caller.send(
                "a browser",
                "GET /Patient?_id=" + mark,
                null,
                "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
        caller.send("the old media type", "GET /Patient?_id=" + mark, null, "Accept: application/json+fhir");
        caller.send("the old media type of XML", "GET /Patient?_id=" + mark, null, "Accept: application/xml+fhir");
        caller.send("Turtle", "GET /Patient?_id=" + mark, null, "Accept: application/fhir+turtle");
        caller.send("lines of JSON", "GET /Patient?_id=" + mark, null, "Accept: application/fhir+ndjson");
        caller.send(
                "a create in the old media type",
                "POST /Patient",
                patient,
                "Content-Type: application/" + (caller.isJson() ? "json+fhir" : "xml+fhir"));
        caller.send("plain JSON", "GET /Patient?_id=" + mark, null, "Accept: application/json");
        caller.send("delete a type", "DELETE /Patient", null);
        caller.send("post to an instance", "POST /Patient/" + mark, patient);
        caller.send("put a type", "PUT /Patient", patient);
        caller.send("search all types", "GET ?_id=" + mark, null);
        caller.send("a trailing slash", "GET /Patient/" + mark + "/", null);
        caller.send("a trailing slash behind a type", "POST /Patient/", patient);
        caller.send("no search parameter name", "GET /Patient?=x", null);
        caller.send("an unknown method", "FOO /Patient", null);
        caller.send("an operation that is closed", "GET /Patient/$everything", null);
        caller.send("a subscription", "GET /Subscription", null);
    }
}
