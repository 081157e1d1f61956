package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.fhir.OpenIntent.Progress;
import routes.fhir.OpenIntentTable.FreeDelete;
import routes.platform.database.SqlArrays;
import routes.platform.projection.OwnSchema;

/** Claims and closes open intents in a real database, because its locks and statements are the subject. */
class OpenIntentsIT {

    private static final Duration LIMIT = Duration.ofHours(1);
    private static final Duration LEASE = Duration.ofMinutes(1);
    private static final FhirVersion DELETED = new FhirVersion("Patient", "p-1", "3");

    /** As the purge chooses outcomes. */
    private static final String PURGE =
            """
            select ctid from fhir_outcome where noted_at < now() - interval '90 days'
                and not exists (select 1 from fhir_intent where request_id = fhir_outcome.request_id and state = 'OPEN')
            order by noted_at limit 5000 for update skip locked""";

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

        assertThat(claim("default")).hasValueSatisfying(intent -> {
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
        assertThat(claim("default")).isPresent();
    }

    @Test
    void leavesALeasedIntentToItsRunUntilTheLeaseEnds() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);

        assertThat(claim("default")).isPresent();
        assertThat(claim("default")).isEmpty();
        assertThat(open.dueTenants(List.of("default"))).isEmpty();

        endLeases();
        assertThat(open.dueTenants(List.of("default"))).containsExactly("default");
        assertThat(claim("default")).isPresent();
    }

    @Test
    void countsEachLeaseAsAnAttempt() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);

        for (int attempt = 1; attempt <= 3; attempt++) {
            assertThat(claim("default").orElseThrow().progress().attempts()).isEqualTo(attempt);
            endLeases();
        }
    }

    @Test
    void notesNothingForARunWhoseLeaseHasEnded() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        OpenIntent slow = claim("default").orElseThrow();
        endLeases();
        OpenIntent next = claim("default").orElseThrow();

        assertThat(open.close(slow, Set.of(DELETED), OpenIntent.End.NO_EFFECT)).isFalse();
        open.leaveOpen(slow, Set.of(DELETED), new Progress(0, true, 7, 0), Duration.ofHours(1));

        assertThat(states()).containsExactly("a OPEN null");
        assertThat(outcomes()).isEmpty();
        assertThat(open.close(next, Set.of(DELETED), OpenIntent.End.DONE)).isTrue();
        assertThat(states()).containsExactly("a DONE closed");
        assertThat(outcomes()).containsExactly("a 3 true");
    }

    @Test
    void notesNoVersionThatAnotherIntentIsKnownToHaveMade() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        OpenIntent intent = claim("default").orElseThrow();
        intents.noteAnswer(write("b", "PUT", "p-1"), 201, true, List.of(new FhirOutcome(DELETED, true)));

        open.leaveOpen(intent, Set.of(DELETED), intent.progress(), Duration.ZERO);

        assertThat(outcomes()).containsExactly("b 3 true");
    }

    @Test
    void confirmsAVersionThatTheAnswerDidNotConfirm() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        intents.noteAnswer(write("a", "PUT", "p-1"), 500, false, List.of(new FhirOutcome(DELETED, false)));
        own.jdbc.sql("update fhir_intent set next_at = now()").update();

        open.leaveOpen(claim("default").orElseThrow(), Set.of(DELETED), new Progress(0, false, 1, 0), Duration.ZERO);

        assertThat(outcomes()).containsExactly("a 3 true");
    }

    @Test
    void claimsNothingOfAClosedIntentOrOfAnotherTenant() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        intents.noteAnswer(write("a", "PUT", "p-1"), 404, true, List.of());
        insert(Writes.request("other", "b", false, List.of(Writes.write("PUT", "Patient", "p-1"))), Duration.ZERO);

        assertThat(claim("default")).isEmpty();
        assertThat(open.dueTenants(List.of())).isEmpty();
        assertThat(open.dueTenants(List.of("default", "other"))).containsExactly("other");
        assertThat(claim("other")).isPresent();
    }

    @Test
    void claimsTheIntentFirstThatHasWaitedLongest() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        insert(write("b", "PUT", "p-1"), Duration.ZERO);
        own.jdbc
                .sql("update fhir_intent set next_at = next_at - interval '1 minute' where request_id = 'b'")
                .update();

        assertThat(claim("default").orElseThrow().requestId()).isEqualTo("b");
        assertThat(claim("default").orElseThrow().requestId()).isEqualTo("a");
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
        for (Optional<OpenIntent> next = claim("default"); next.isPresent(); next = claim("default")) {
            all.add(next.get().requestId());
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
                    .map(OpenIntent::requestId)
                    .contains("b");
        });
    }

    @Test
    void continuesAPassWhereItStopped() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        open.leaveOpen(claim("default").orElseThrow(), Set.of(), new Progress(25, true, 2, 4), Duration.ZERO);

        assertThat(claim("default").orElseThrow().progress()).isEqualTo(new Progress(25, true, 2, 5));
    }

    @Test
    void tellsWhenTheSearchForAnIntentEnds() {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        own.jdbc
                .sql("update fhir_intent set created_at = now() - interval '61 minutes'")
                .update();

        assertThat(claim("default").orElseThrow().expired()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"DONE", "NO_EFFECT", "UNRESOLVED"})
    void closesAnIntentUnlessItsAnswerHasClosedIt(String end) {
        insert(write("a", "PUT", "p-1"), Duration.ZERO);
        OpenIntent intent = claim("default").orElseThrow();

        assertThat(open.close(intent, Set.of(), OpenIntent.End.valueOf(end))).isTrue();
        assertThat(states()).containsExactly("a " + end + " closed");

        intents.noteAnswer(write("a", "PUT", "p-1"), 200, true, List.of());
        assertThat(open.close(intent, Set.of(), OpenIntent.End.NO_EFFECT)).isFalse();
        open.leaveOpen(intent, Set.of(), intent.progress(), Duration.ZERO);
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

        open.close(other, Set.of(), OpenIntent.End.UNRESOLVED);
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

    @Test
    void anIntentWithAnotherWriteOfTheResourceMayStillHaveMadeIt() {
        OpenIntent intent = openDelete("a", "p-1");
        FhirRequest both =
                Writes.bundle("b", Writes.write("PUT", "Patient", "p-1"), Writes.write("DELETE", "Patient", "p-1"));
        insert(both, Duration.ZERO);
        intents.noteAnswer(both, 200, false, List.of(new FhirOutcome(new FhirVersion("Patient", "p-1", "2"), true)));

        assertThat(free(intent)).containsExactly(new FreeDelete(DELETED, true));
    }

    @Test
    void findsWhatItNeedsByIndexesAmongManyClosedIntents() {
        own.jdbc
                .sql(
                        """
                        insert into fhir_intent (request_id, tenant, principal, scope, correlation_id, causation_id,
                            methods, types, ids, counts, state, next_at, created_at, closed_at)
                        select 'closed-' || n, 'default', 'p', 's', 'c', 'c', '{DELETE}', '{Patient}', array['p-' || n], '{1}',
                            'DONE', now(), now() - n * interval '1 second', now() - n * interval '1 second'
                        from generate_series(1, :rows) n""")
                .param("rows", Integer.getInteger("intents", 50_000))
                .update();
        own.jdbc
                .sql(
                        """
                        insert into fhir_outcome (tenant, type, id, version, request_id, confirmed, noted_at)
                        select tenant, types[1], ids[1], '2', request_id, true, closed_at from fhir_intent""")
                .update();
        own.jdbc.sql("analyze fhir_intent, fhir_outcome").update();
        OpenIntent intent = openDelete("a", "p-1");

        assertThat(plan(OpenIntentTable.DUE_TENANTS, intent)).doesNotContain("Seq Scan on fhir_");
        assertThat(plan(OpenIntentTable.CLAIM, intent)).doesNotContain("Seq Scan on fhir_");
        assertThat(plan(PURGE, intent)).doesNotContain("Seq Scan on fhir_");
        assertThat(plan(OpenIntentTable.FREE_DELETES, intent))
                .contains("fhir_intent_deletes")
                .doesNotContain("Seq Scan on fhir_");
    }

    private static String plan(String sql, OpenIntent intent) {
        List<String> lines = own.jdbc
                .sql("explain " + sql)
                .param("tenants", SqlArrays.texts(List.of("default"), tenant -> tenant))
                .param("tenant", "default")
                .param("lease", 60)
                .param("limit", 3600)
                .param("requestId", intent.requestId())
                .param("after", Timestamp.from(intent.createdAt().minus(Duration.ofDays(30))))
                .param("types", SqlArrays.texts(List.of("Patient"), type -> type))
                .param("ids", SqlArrays.texts(List.of("p-1"), id -> id))
                .param("versions", SqlArrays.texts(List.of("3"), version -> version))
                .query(String.class)
                .list();
        return String.join("\n", lines);
    }

    private static OpenIntent openDelete(String requestId, String id) {
        insert(write(requestId, "DELETE", id), Duration.ZERO);
        return claim("default").orElseThrow();
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

    private static Optional<OpenIntent> claim(String tenant) {
        return open.claim(tenant, LEASE, LIMIT);
    }

    private static void endLeases() {
        own.jdbc
                .sql("update fhir_intent set leased_until = leased_until - interval '2 minutes'")
                .update();
    }

    private static List<String> outcomes() {
        return own.jdbc
                .sql(
                        "select format('%s %s %s', request_id, version, case when confirmed then 'true' end) from fhir_outcome")
                .query(String.class)
                .list();
    }

    private static List<String> states() {
        return own.jdbc
                .sql(
                        "select concat_ws(' ', request_id, state, case when closed_at is null then 'null' else 'closed' end) from fhir_intent")
                .query(String.class)
                .list();
    }
}
