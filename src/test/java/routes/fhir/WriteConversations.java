package routes.fhir;

import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import java.util.List;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.BooleanType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Practitioner;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.Resource;
import org.hl7.fhir.r4.model.StringType;

/** The interactions that change resources, as FHIR clients use them. */
final class WriteConversations {

    static final String SYSTEM = "urn:parity";

    /** Its letters take one to four bytes in UTF-8. */
    static final String FAMILY = "Müller-Østergård 李 \ud83d\udc8a";

    private WriteConversations() {}

    static List<Conversation> all() {
        return List.of(
                new Conversation("create, read, update and delete", WriteConversations::crud),
                new Conversation("conditional create", WriteConversations::conditionalCreate),
                new Conversation("conditional update, patch and delete", WriteConversations::conditions),
                new Conversation("concurrent updates", WriteConversations::conflicts),
                new Conversation("preferences", WriteConversations::preferences),
                new Conversation("patches", WriteConversations::patches),
                new Conversation("a transaction", WriteConversations::transaction),
                new Conversation("a failing transaction", WriteConversations::failingTransaction),
                new Conversation("a batch", WriteConversations::batch),
                new Conversation("references with an address", WriteConversations::absoluteReferences));
    }

    static Patient patient(FhirCaller caller, String value) {
        Patient patient = new Patient();
        patient.addIdentifier().setSystem(SYSTEM).setValue(caller.mark() + value);
        patient.addName().setFamily(FAMILY).addGiven("Ada");
        patient.setActive(true);
        return patient;
    }

    static IIdType create(FhirCaller caller, String step, Resource resource) {
        MethodOutcome created = caller.ask(
                step, () -> caller.client().create().resource(resource).execute());
        return created == null ? null : created.getId().toUnqualifiedVersionless();
    }

    private static void crud(FhirCaller caller) {
        Patient patient = patient(caller, "");
        IIdType id = create(caller, "create", patient);
        read(caller, "read", id);
        read(caller, "read version 1", id.withVersion("1"));
        patient.setId(id);
        caller.ask("update without a change", () -> update(caller, patient));
        patient.setActive(false);
        caller.ask("update", () -> update(caller, patient));
        read(caller, "read the update", id);
        read(caller, "read version 1 of two", id.withVersion("1"));
        read(caller, "read a version that is to come", id.withVersion("9"));
        history(caller, "the history of two versions", id);
        caller.ask("delete", () -> caller.client().delete().resourceById(id).execute());
        read(caller, "read the deleted", id);
        read(caller, "read the version of the delete", id.withVersion("3"));
        read(caller, "read a version before the delete", id.withVersion("2"));
        history(caller, "the history with the delete", id);
        caller.ask(
                "delete again", () -> caller.client().delete().resourceById(id).execute());
        caller.ask("create again", () -> update(caller, patient));
        read(caller, "read what is there again", id);
        read(caller, "read the unknown", new IdType("Patient", "999999999"));
        caller.ask("delete the unknown", () -> caller.client()
                .delete()
                .resourceById("Patient", caller.mark() + "-none")
                .execute());

        Patient own = patient(caller, "-own");
        own.setId(new IdType("Patient", caller.mark() + "-own"));
        caller.ask("create by update", () -> update(caller, own));
        read(caller, "read the id of the client", own.getIdElement());
        Patient digits = patient(caller, "-digits");
        digits.setId(new IdType("Patient", "999999998"));
        caller.ask("create by update with an id of digits", () -> update(caller, digits));
    }

    private static MethodOutcome update(FhirCaller caller, Resource resource) {
        return caller.client().update().resource(resource).execute();
    }

    private static void read(FhirCaller caller, String step, IIdType id) {
        caller.ask(step, () -> {
            var read = caller.client().read().resource(id.getResourceType());
            return id.hasVersionIdPart()
                    ? read.withIdAndVersion(id.getIdPart(), id.getVersionIdPart())
                            .execute()
                    : read.withId(id.getIdPart()).execute();
        });
    }

    static void history(FhirCaller caller, String step, IIdType id) {
        caller.ask(step, () -> caller.client()
                .history()
                .onInstance(id)
                .returnBundle(Bundle.class)
                .execute());
    }

    private static void conditionalCreate(FhirCaller caller) {
        String condition = "Patient?identifier=" + SYSTEM + "%7C" + caller.mark();
        for (String step : List.of("create the first", "create the same", "create the same once more")) {
            caller.ask(step, () -> caller.client()
                    .create()
                    .resource(patient(caller, ""))
                    .conditionalByUrl(condition)
                    .execute());
        }
        create(caller, "create a second without the condition", patient(caller, ""));
        caller.ask("create where two match", () -> caller.client()
                .create()
                .resource(patient(caller, ""))
                .conditionalByUrl(condition)
                .execute());
        String body = caller.encode(patient(caller, ""));
        caller.send(
                "create by a condition without a type",
                "POST /Patient",
                body,
                "If-None-Exist: identifier=" + SYSTEM + "|" + caller.mark() + "-raw");
        caller.send(
                "create by a condition with an address",
                "POST /Patient",
                body,
                "If-None-Exist: " + caller.base() + "/Patient?identifier=" + SYSTEM + "|" + caller.mark() + "-raw");
        caller.send("create by a condition of an unknown parameter", "POST /Patient", body, "If-None-Exist: nothing=1");
    }

    private static void conditions(FhirCaller caller) {
        String condition = "Patient?identifier=" + SYSTEM + "%7C" + caller.mark();
        Patient patient = patient(caller, "");
        for (String step : List.of("update where none matches", "update without a change", "update with a change")) {
            patient.setActive(step.equals("update with a change"));
            caller.ask(step, () -> caller.client()
                    .update()
                    .resource(patient)
                    .conditionalByUrl(condition)
                    .execute());
        }
        String patch = """
                [{"op":"replace","path":"/active","value":false}]""";
        caller.ask("patch where one matches", () -> caller.client()
                .patch()
                .withBody(patch)
                .conditionalByUrl(condition)
                .execute());
        caller.ask("patch where none matches", () -> caller.client()
                .patch()
                .withBody(patch)
                .conditionalByUrl(condition + "-none")
                .execute());
        caller.ask("delete where one matches", () -> caller.client()
                .delete()
                .resourceConditionalByUrl(condition)
                .execute());
        caller.ask("delete where none matches", () -> caller.client()
                .delete()
                .resourceConditionalByUrl(condition)
                .execute());
        create(caller, "create one", patient(caller, "-two"));
        create(caller, "create another", patient(caller, "-two"));
        String two = condition + "-two";
        caller.ask("update where two match", () -> caller.client()
                .update()
                .resource(patient(caller, "-two"))
                .conditionalByUrl(two)
                .execute());
        caller.ask("patch where two match", () -> caller.client()
                .patch()
                .withBody(patch)
                .conditionalByUrl(two)
                .execute());
        caller.ask(
                "delete where two match",
                () -> caller.client().delete().resourceConditionalByUrl(two).execute());
    }

    private static void conflicts(FhirCaller caller) {
        Patient patient = patient(caller, "");
        IIdType id = create(caller, "create", patient);
        patient.setId(id.withVersion("1"));
        patient.setActive(false);
        caller.ask("update version 1", () -> update(caller, patient));
        patient.setActive(true);
        caller.ask("update version 1 again", () -> update(caller, patient));
        patient.setId(id);
        String body = caller.encode(patient);
        String path = "/Patient/" + id.getIdPart();
        caller.send("update a version that is to come", "PUT " + path, body, "If-Match: W/\"9\"");
        caller.send("update with a malformed version", "PUT " + path, body, "If-Match: 2");
        String patch = """
                [{"op":"replace","path":"/active","value":true}]""";
        String type = "Content-Type: application/json-patch+json";
        caller.send("patch version 1", "PATCH " + path, patch, "If-Match: W/\"1\"", type);
        caller.send("patch version 2", "PATCH " + path, patch, "If-Match: W/\"2\"", type);
        caller.send("delete version 1", "DELETE " + path, null, "If-Match: W/\"1\"");
    }

    private static void preferences(FhirCaller caller) {
        IIdType id = null;
        for (PreferReturnEnum preference : PreferReturnEnum.values()) {
            Patient patient = patient(caller, preference.name());
            MethodOutcome created = caller.ask("create with " + preference, () -> caller.client()
                    .create()
                    .resource(patient)
                    .prefer(preference)
                    .execute());
            id = created.getId().toUnqualifiedVersionless();
            patient.setId(id);
            patient.setActive(false);
            caller.ask("update with " + preference, () -> caller.client()
                    .update()
                    .resource(patient)
                    .prefer(preference)
                    .execute());
            IIdType patched = id;
            caller.ask("patch with " + preference, () -> caller.client()
                    .patch()
                    .withBody(
                            """
                                    [{"op":"replace","path":"/active","value":true}]""")
                    .withId(patched)
                    .prefer(preference)
                    .execute());
        }
        String path = "/Patient/" + id.getIdPart();
        caller.send("delete with a preference", "DELETE " + path, null, "Prefer: return=minimal");
        caller.send("search strictly", "GET /Patient?nothing=1&_id=" + id.getIdPart(), null, "Prefer: handling=strict");
        caller.send(
                "search leniently", "GET /Patient?nothing=1&_id=" + id.getIdPart(), null, "Prefer: handling=lenient");
        caller.send(
                "create with two preferences",
                "POST /Patient",
                caller.encode(patient(caller, "-two")),
                "Prefer: return=minimal; handling=strict");
    }

    private static void patches(FhirCaller caller) {
        IIdType id = create(caller, "create", patient(caller, ""));
        patch(caller, "JSON patch", id, """
                [{"op":"replace","path":"/active","value":false}]""");
        patch(
                caller,
                "JSON patch without a change",
                id,
                """
                [{"op":"replace","path":"/active","value":false}]""");
        patch(
                caller,
                "XML patch",
                id,
                """
                <diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:active/@value">true</replace></diff>""");
        patch(
                caller,
                "JSON patch of a missing element",
                id,
                """
                [{"op":"replace","path":"/birthDate/x","value":"2000-01-01"}]""");
        patch(
                caller,
                "JSON patch that makes the resource invalid",
                id,
                """
                [{"op":"add","path":"/nothing","value":"x"}]""");
        patch(
                caller,
                "JSON patch with a failing test",
                id,
                """
                [{"op":"test","path":"/active","value":false},{"op":"remove","path":"/active"}]""");
        Parameters operations = new Parameters();
        operations
                .addParameter()
                .setName("operation")
                .addPart(part("type", new CodeType("replace")))
                .addPart(part("path", new StringType("Patient.active")))
                .addPart(part("value", new BooleanType(false)));
        caller.ask("FHIRPath patch", () -> caller.client()
                .patch()
                .withFhirPatch(operations)
                .withId(id)
                .execute());
        caller.ask("patch of an unknown resource", () -> caller.client()
                .patch()
                .withFhirPatch(operations)
                .withId(new IdType("Patient", caller.mark() + "-none"))
                .execute());
        read(caller, "read", id);
    }

    private static Parameters.ParametersParameterComponent part(String name, org.hl7.fhir.r4.model.Type value) {
        return new Parameters.ParametersParameterComponent().setName(name).setValue(value);
    }

    private static void patch(FhirCaller caller, String step, IIdType id, String patch) {
        caller.ask(
                step, () -> caller.client().patch().withBody(patch).withId(id).execute());
    }

    private static Practitioner practitioner(FhirCaller caller) {
        Practitioner practitioner = new Practitioner();
        practitioner.addIdentifier().setSystem(SYSTEM).setValue(caller.mark());
        return practitioner;
    }

    static Observation observation(String subject) {
        Observation observation = new Observation();
        observation.setStatus(Observation.ObservationStatus.FINAL);
        observation.setCode(new CodeableConcept().setText("pulse"));
        observation.setSubject(new Reference(subject));
        return observation;
    }

    private static void transaction(FhirCaller caller) {
        create(caller, "create a practitioner", practitioner(caller));
        Patient known = patient(caller, "-known");
        known.setId(create(caller, "create a patient", known));
        IIdType gone = create(caller, "create another", patient(caller, "-gone"));
        known.setActive(false);
        IIdType patched = create(caller, "create a third", patient(caller, "-patched"));

        String urn = "urn:uuid:7f1bd78c-4eba-ec6e-7422-887a50724ba7";
        Observation pulse = observation(urn);
        pulse.addPerformer(new Reference("Practitioner?identifier=" + SYSTEM + "|" + caller.mark()));
        Bundle bundle = new Bundle().setType(Bundle.BundleType.TRANSACTION);
        entry(bundle, Bundle.HTTPVerb.POST, "Patient", patient(caller, "-new")).setFullUrl(urn);
        entry(bundle, Bundle.HTTPVerb.POST, "Observation", pulse);
        entry(bundle, Bundle.HTTPVerb.PUT, "Patient/" + known.getIdPart(), known);
        entry(bundle, Bundle.HTTPVerb.DELETE, "Patient/" + gone.getIdPart(), null);
        entry(bundle, Bundle.HTTPVerb.POST, "Patient", patient(caller, "-known"))
                .getRequest()
                .setIfNoneExist("identifier=" + SYSTEM + "|" + caller.mark() + "-known");
        entry(bundle, Bundle.HTTPVerb.GET, "Patient?identifier=" + SYSTEM + "|" + caller.mark() + "-known", null);
        entry(
                bundle,
                Bundle.HTTPVerb.PUT,
                "Patient?identifier=" + SYSTEM + "|" + caller.mark() + "-made",
                patient(caller, "-made"));
        Parameters operations = new Parameters();
        operations
                .addParameter()
                .setName("operation")
                .addPart(part("type", new CodeType("delete")))
                .addPart(part("path", new StringType("Patient.active")));
        entry(bundle, Bundle.HTTPVerb.PATCH, "Patient/" + patched.getIdPart(), operations);
        caller.ask(
                "the transaction",
                () -> caller.client().transaction().withBundle(bundle).execute());
        caller.ask("what it made", () -> caller.client()
                .search()
                .byUrl("Observation?subject:Patient.identifier=" + SYSTEM + "|" + caller.mark() + "-new")
                .returnBundle(Bundle.class)
                .execute());
        Bundle same = new Bundle().setType(Bundle.BundleType.TRANSACTION);
        entry(same, Bundle.HTTPVerb.PUT, "Patient/" + known.getIdPart(), known)
                .getRequest()
                .setIfMatch("W/\"1\"");
        caller.ask(
                "a transaction of an old version",
                () -> caller.client().transaction().withBundle(same).execute());
        caller.ask("an empty transaction", () -> caller.client()
                .transaction()
                .withBundle(new Bundle().setType(Bundle.BundleType.TRANSACTION))
                .execute());
        caller.ask("a minimal transaction", () -> caller.client()
                .transaction()
                .withBundle(bundle)
                .withAdditionalHeader("Prefer", "return=minimal")
                .execute());
        caller.ask("a transaction with representations", () -> caller.client()
                .transaction()
                .withBundle(bundle)
                .withAdditionalHeader("Prefer", "return=representation")
                .execute());
    }

    static Bundle.BundleEntryComponent entry(Bundle bundle, Bundle.HTTPVerb method, String url, Resource resource) {
        Bundle.BundleEntryComponent entry = bundle.addEntry();
        entry.setResource(resource);
        entry.getRequest().setMethod(method).setUrl(url);
        return entry;
    }

    private static void failingTransaction(FhirCaller caller) {
        Bundle bundle = new Bundle().setType(Bundle.BundleType.TRANSACTION);
        entry(bundle, Bundle.HTTPVerb.POST, "Patient", patient(caller, ""));
        Observation pulse = observation("Patient?identifier=" + SYSTEM + "|" + caller.mark() + "-none");
        entry(bundle, Bundle.HTTPVerb.POST, "Observation", pulse);
        caller.ask(
                "a reference that matches nothing",
                () -> caller.client().transaction().withBundle(bundle).execute());
        caller.ask("nothing happened", () -> caller.client()
                .search()
                .byUrl("Patient?identifier=" + SYSTEM + "|" + caller.mark())
                .returnBundle(Bundle.class)
                .execute());
        Bundle wrong = new Bundle().setType(Bundle.BundleType.COLLECTION);
        entry(wrong, Bundle.HTTPVerb.POST, "Patient", patient(caller, ""));
        caller.ask(
                "a bundle of another type",
                () -> caller.client().transaction().withBundle(wrong).execute());
    }

    private static void batch(FhirCaller caller) {
        IIdType id = create(caller, "create", patient(caller, ""));
        Bundle bundle = new Bundle().setType(Bundle.BundleType.BATCH);
        entry(bundle, Bundle.HTTPVerb.GET, "Patient/" + id.getIdPart(), null);
        entry(bundle, Bundle.HTTPVerb.GET, "Patient/" + caller.mark() + "-none", null);
        entry(bundle, Bundle.HTTPVerb.POST, "Patient", patient(caller, "-batch"));
        entry(bundle, Bundle.HTTPVerb.GET, "Patient?nothing=1&_id=" + id.getIdPart(), null);
        entry(bundle, Bundle.HTTPVerb.GET, "Patient/" + id.getIdPart() + "/_history", null);
        caller.ask(
                "the batch",
                () -> caller.client().transaction().withBundle(bundle).execute());
    }

    private static void absoluteReferences(FhirCaller caller) {
        IIdType patient = create(caller, "create a patient", patient(caller, ""));
        String address = caller.base() + "/" + patient.getValue();
        IIdType id = create(caller, "create what refers to it", observation(address));
        read(caller, "read what refers to it", id);
        caller.send("read the patient by its address", "GET /" + patient.getValue(), null);
        caller.send("search by the address", "GET /Observation?subject=" + address, null);
        caller.send(
                "search by the encoded address",
                "GET /Observation?subject=" + address.replace(":", "%3A").replace("/", "%2F"),
                null);
        create(caller, "refer to another server", observation("http://elsewhere.example/fhir/Patient/1"));
    }
}
