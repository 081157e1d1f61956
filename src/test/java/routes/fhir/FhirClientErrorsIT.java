package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.ForbiddenOperationException;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.PayloadTooLargeException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.ResourceVersionConflictException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.SearchParameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** HAPI's client throws its typed exceptions for the errors of the facade and of the server, with their outcomes. */
class FhirClientErrorsIT extends FhirIT {

    private static final String ALL_BUT_PATIENTS = "system/Basic.cruds";

    /**
     * What a client does wrong.
     *
     * @param scope null for a caller without a token
     */
    record Mistake(
            String name,
            String scope,
            int status,
            Class<? extends BaseServerResponseException> thrown,
            Consumer<FhirCaller> call) {

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                        new Mistake("no token", null, 401, AuthenticationException.class, c -> read(c, "1")),
                        new Mistake(
                                "no scope",
                                ALL_BUT_PATIENTS,
                                403,
                                ForbiddenOperationException.class,
                                c -> read(c, "1")),
                        new Mistake("a closed operation", ALL, 403, ForbiddenOperationException.class, c -> c.client()
                                .operation()
                                .onType(Patient.class)
                                .named("$expunge")
                                .withParameters(new Parameters())
                                .execute()),
                        new Mistake(
                                "an unknown resource",
                                ALL,
                                404,
                                ResourceNotFoundException.class,
                                c -> read(c, c.mark() + "-none")),
                        new Mistake(
                                "an unknown type",
                                ALL,
                                404,
                                ResourceNotFoundException.class,
                                c -> search(c, "Nothing?name=a")),
                        new Mistake("a deleted resource", ALL, 410, ResourceGoneException.class, c -> {
                            IIdType id = create(c);
                            c.client().delete().resourceById(id).execute();
                            read(c, id.getIdPart());
                        }),
                        new Mistake(
                                "a passed version", ALL, 409, ResourceVersionConflictException.class, c -> c.client()
                                        .update()
                                        .resource(patient(c).setId(create(c).withVersion("7")))
                                        .execute()),
                        new Mistake("two that match", ALL, 412, PreconditionFailedException.class, c -> {
                            create(c);
                            create(c);
                            c.client()
                                    .update()
                                    .resource(patient(c))
                                    .conditionalByUrl("Patient?identifier=" + c.mark())
                                    .execute();
                        }),
                        new Mistake(
                                "a malformed query",
                                ALL,
                                400,
                                InvalidRequestException.class,
                                c -> search(c, "Patient?birthdate=yesterday")),
                        new Mistake(
                                "a condition that selects nothing",
                                ALL,
                                400,
                                InvalidRequestException.class,
                                c -> c.client()
                                        .delete()
                                        .resourceConditionalByUrl("Patient?_format=json")
                                        .execute()),
                        new Mistake(
                                "an incomplete resource", ALL, 422, UnprocessableEntityException.class, c -> c.client()
                                        .create()
                                        .resource(new SearchParameter())
                                        .execute()),
                        new Mistake(
                                "too many parameters",
                                ALL,
                                413,
                                PayloadTooLargeException.class,
                                c -> search(c, "Patient?_id=a" + "&_id=a".repeat(1000))))
                .flatMap(mistake -> Stream.of(EncodingEnum.JSON, EncodingEnum.XML)
                        .map(encoding -> Arguments.of(mistake, encoding)));
    }

    @ParameterizedTest(name = "{0}, in {1}")
    @MethodSource("mistakes")
    void throwsTheExceptionOfTheStatus(Mistake mistake, EncodingEnum encoding) {
        FhirCaller caller = new FhirCaller(facade(), mistake.scope() == null ? null : token(mistake.scope()), encoding);

        BaseServerResponseException thrown = catchThrowableOfType(
                BaseServerResponseException.class, () -> mistake.call().accept(caller));

        assertThat(thrown).isExactlyInstanceOf(mistake.thrown());
        assertThat(thrown.getStatusCode()).isEqualTo(mistake.status());
        assertThat(thrown.getOperationOutcome()).isInstanceOfSatisfying(OperationOutcome.class, outcome -> assertThat(
                        outcome.getIssueFirstRep().getDiagnostics())
                .isNotBlank()
                .doesNotContain(server.getAuthority(), "Exception"));
        assertThat(thrown.getMessage())
                .contains(((OperationOutcome) thrown.getOperationOutcome())
                        .getIssueFirstRep()
                        .getDiagnostics());
    }

    private static void read(FhirCaller caller, String id) {
        caller.client().read().resource(Patient.class).withId(id).execute();
    }

    private static void search(FhirCaller caller, String url) {
        caller.client().search().byUrl(url).returnBundle(Bundle.class).execute();
    }

    private static Patient patient(FhirCaller caller) {
        Patient patient = new Patient();
        patient.addIdentifier().setValue(caller.mark());
        return patient;
    }

    private static IIdType create(FhirCaller caller) {
        IGenericClient client = caller.client();
        return client.create().resource(patient(caller)).execute().getId().toUnqualifiedVersionless();
    }
}
