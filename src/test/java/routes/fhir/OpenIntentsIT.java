package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.fhir.OpenIntentTable.FreeDelete;
import routes.platform.projection.OwnSchema;

/** Claims and closes open intents in a real database, because its locks and statements are the subject. */
class OpenIntentsIT {

    private static final Duration LIMIT = Duration.ofHours(1);
    private static final FhirVersion DELETED = new FhirVersion("Patient", "p-1", "3");

    private static OwnSchema own;
    private static FhirIntentTable intents;
    private static OpenIntentTable open;

    @BeforeAll
    static void connect() {
        own = new OwnSchema();
        intents = new FhirIntentTable(own.jdbc);
        open = new OpenIntentTable(own.jdbc);
    }

    @AfterAll
    static void close() {
        own.close();
    }

    @BeforeEach
    void begin() {
        own.jdbc.sql("truncate fhir_intent, fhir_outcome").update();
    }

    @Test
    void claimsWhatTheIntentAsksForAndWhatIsNoted() {
        String id = Writes.newRequestId();
        FhirRequest request = Writes.bundle(
                id,
                Writes.write("POST", "Observation", null),
                Writes.write("POST", "Observation", null),
                Writes.write("PUT", "Patient", "p-1"));
        insert(request, Duration.ZERO);
        FhirVersion made = new FhirVersion("Patient", "p-1", "2");
        intents.noteAnswer(
                request,
                200,
                false,
                List.of(new FhirOutcome(made, true), new FhirOutcome(new FhirVersion("Patient", "p-9", "9"), false)));

        assertThat(claim("default")).singleElement().satisfies(intent -> {
            assertThat(intent.requestId()).isEqualTo(id);
            assertThat(intent.tenant()).isEqualTo("default");
            assertThat(intent.createdAt())
                    .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(60));
            assertThat(intent.answered()).isTrue();
            assertThat(intent.expired()).isFalse();
            assertThat(intent.targets())
                    .containsExactly(
                            new FhirTarget("POST", "Observation", null, 2), new FhirTarget("PUT", "Patient", "p-1", 1));
            assertThat(intent.noted()).containsExactly(made);
        });
    }

    @Test
    void claimsAnIntentOnlyWhenItsOwnCallMustBeOver() {
        insert(write("a", "PUT", "p-1"), Duration.ofMinutes(1));

        assertThat(claim("default")).isEmpty();

        own.jdbc.sql("update fhir_intent set next_at = now()").update();
        assertThat(claim("default")).hasSize(1);
    }

    @Test
    void leavesAClaimedIntentToItsInstanceUntilTheClaimEnds() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);

        assertThat(claim("default")).hasSize(1);
        assertThat(claim("default")).isEmpty();

        own.jdbc
                .sql("update fhir_intent set next_at = next_at - interval '5 minutes'")
                .update();
        assertThat(claim("default")).hasSize(1);
    }

    @Test
    void claimsNothingOfAClosedIntentOrOfATenantThatIsNotAsked() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        intents.noteAnswer(write("a", "PUT", "p-1"), 404, true, List.of());
        insert(Writes.request("other", "b", false, List.of(Writes.write("PUT", "Patient", "p-1"))), Duration.ZERO);

        assertThat(claim("default")).isEmpty();
        assertThat(claim()).isEmpty();
        assertThat(claim("default", "other")).hasSize(1);
    }

    @Test
    void takesTheTenantsInTurns() {
        IntStream.range(0, 20).forEach(n -> insert(write("a" + n, "PUT", "p-1"), Duration.ZERO));
        insert(Writes.request("other", "b", false, List.of(Writes.write("PUT", "Patient", "p-1"))), Duration.ZERO);

        assertThat(claim("default", "other"))
                .hasSize(6)
                .extracting(OpenIntent::tenant)
                .contains("other");
    }

    @Test
    void twoInstancesNeverClaimTheSameIntent() {
        IntStream.range(0, 200).forEach(n -> insert(write("a" + n, "PUT", "p-1"), Duration.ZERO));

        List<CompletableFuture<List<String>>> instances = IntStream.range(0, 4)
                .mapToObj(n -> CompletableFuture.supplyAsync(OpenIntentsIT::claimAll))
                .toList();

        List<String> claimed =
                instances.stream().flatMap(instance -> instance.join().stream()).toList();
        assertThat(claimed).hasSize(200).doesNotHaveDuplicates();
    }

    private static List<String> claimAll() {
        List<String> all = new ArrayList<>();
        for (List<OpenIntent> next = claim("default"); !next.isEmpty(); next = claim("default")) {
            next.forEach(intent -> all.add(intent.requestId()));
        }
        return all;
    }

    @Test
    void skipsAnIntentThatAnotherInstanceHasLocked() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        insert(write("b", "PUT", "p-1"), Duration.ZERO);

        own.transactions.executeWithoutResult(status -> {
            own.jdbc
                    .sql("select 1 from fhir_intent where request_id = 'a' for update")
                    .query()
                    .singleRow();
            assertThat(CompletableFuture.supplyAsync(() -> claim("default")).join())
                    .extracting(OpenIntent::requestId)
                    .containsExactly("b");
        });
    }

    @Test
    void continuesAPassWhereItStopped() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        open.leaveOpen(claim("default").get(0), 25, true, 2, Duration.ZERO);

        assertThat(claim("default")).singleElement().satisfies(intent -> {
            assertThat(intent.asked()).isEqualTo(25);
            assertThat(intent.unclear()).isTrue();
            assertThat(intent.passes()).isEqualTo(2);
        });
    }

    @Test
    void tellsWhenTheSearchForAnIntentEnds() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        own.jdbc
                .sql("update fhir_intent set created_at = now() - interval '61 minutes'")
                .update();

        assertThat(claim("default"))
                .singleElement()
                .extracting(OpenIntent::expired)
                .isEqualTo(true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"DONE", "NO_EFFECT", "UNRESOLVED"})
    void closesAnIntentUnlessItsAnswerHasClosedIt(String end) {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        OpenIntent intent = claim("default").get(0);

        open.close(intent, OpenIntent.End.valueOf(end));
        assertThat(states()).containsExactly("a " + end + " closed");

        intents.noteAnswer(write("a", "PUT", "p-1"), 200, true, List.of());
        open.close(intent, OpenIntent.End.NO_EFFECT);
        open.leaveOpen(intent, 0, false, 1, Duration.ZERO);
        assertThat(states()).containsExactly("a DONE closed");
    }

    @Test
    void aDeleteThatNobodyElseWantedIsFree() {
        OpenIntent intent = openDelete("a", "p-1");
        openDelete("b", "p-2");
        insert(write("c", "PUT", "p-1"), Duration.ZERO);
        insert(Writes.request("other", "d", false, List.of(Writes.write("DELETE", "Patient", "p-1"))), Duration.ZERO);

        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, false));
    }

    @Test
    void aDeleteThatAnotherIntentHasMadeIsTaken() {
        OpenIntent intent = openDelete("a", "p-1");
        openDelete("b", "p-1");
        intents.noteAnswer(write("b", "DELETE", "p-1"), 200, true, List.of(new FhirOutcome(DELETED, true)));

        assertThat(free(intent)).isEmpty();
    }

    @Test
    void aDeleteThatAnotherOpenIntentMayHaveMadeIsContested() {
        OpenIntent intent = openDelete("a", "p-1");
        openDelete("b", "p-1");

        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, true));
    }

    @Test
    void aDeleteByAQueryMayHaveMadeIt() {
        OpenIntent intent = openDelete("a", "p-1");
        openDelete("b", null);

        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, true));
    }

    @Test
    void anUnresolvedIntentMayStillHaveMadeIt() {
        OpenIntent intent = openDelete("a", "p-1");
        OpenIntent other = openDelete("b", "p-1");

        open.close(other, OpenIntent.End.UNRESOLVED);
        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, true));

        own.jdbc
                .sql("update fhir_intent set created_at = now() - interval '3 hours' where request_id = 'b'")
                .update();
        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, false));
    }

    @Test
    void anIntentThatDidSomethingElseCannotHaveMadeIt() {
        OpenIntent intent = openDelete("a", "p-1");
        openDelete("b", "p-1");
        openDelete("c", "p-1");
        openDelete("d", "p-1");
        intents.noteAnswer(write("b", "DELETE", "p-1"), 404, true, List.of());
        intents.closeUnsent("c");
        intents.noteAnswer(
                write("d", "DELETE", "p-1"),
                200,
                false,
                List.of(new FhirOutcome(new FhirVersion("Patient", "p-1", "9"), true)));

        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, false));
    }

    @Test
    void anUnconfirmedClaimContestsIt() {
        OpenIntent intent = openDelete("a", "p-1");
        intents.noteAnswer(write("b", "DELETE", "p-1"), 204, true, List.of(new FhirOutcome(DELETED, false)));

        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, true));
    }

    private static OpenIntent openDelete(String requestId, String id) {
        insert(write(requestId, "DELETE", id), Duration.ZERO);
        return claim("default").get(0);
    }

    private static List<FreeDelete> free(OpenIntent intent) {
        return open.freeDeletes(intent, Set.of(DELETED), intent.createdAt().minus(LIMIT));
    }

    private static void insert(FhirRequest request, Duration wait) {
        intents.insert(request, FhirTarget.of(request), wait);
    }

    private static FhirRequest write(String requestId, String method, String id) {
        return Writes.write(requestId, method, "Patient", id);
    }

    private static List<OpenIntent> claim(String... tenants) {
        return open.claim(List.of(tenants), 5, LIMIT);
    }

    private static List<String> states() {
        return own.jdbc
                .sql(
                        "select concat_ws(' ', request_id, state, case when closed_at is null then 'null' else 'closed' end) from fhir_intent")
                .query(String.class)
                .list();
    }
}
