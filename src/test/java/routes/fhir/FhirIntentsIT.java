package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import routes.platform.Caller;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;
import routes.platform.fhir.TestFhirSettings;
import routes.platform.projection.OwnSchema;

/** Stores and notes intents in a real database, because its statements are the subject. */
class FhirIntentsIT {

    private static final String PATIENT = "http://fhir.example/fhir/Patient/p-1/_history/2";

    private static OwnSchema own;

    private final String id = Writes.newRequestId();
    private final FailureClassifier failures = new FailureClassifier();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private FhirIntents intents;

    @BeforeAll
    static void connect() {
        own = new OwnSchema();
    }

    @AfterAll
    static void close() {
        own.close();
    }

    @BeforeEach
    void begin() {
        own.jdbc.sql("truncate fhir_intent, fhir_outcome").update();
        intents = intents(own.jdbc);
    }

    private FhirIntents intents(JdbcClient jdbc) {
        return new FhirIntents(
                new FhirIntentTable(jdbc),
                new RequestIdEcho(meters),
                failures,
                TestFhirSettings.of(URI.create("http://fhir.example/fhir")));
    }

    @Test
    void storesWhoAsksForWhatBeforeTheCall() {
        FhirRequest request = Writes.bundle(
                id,
                Writes.write("POST", "Observation", null),
                Writes.write("PUT", "Patient", "p-1"),
                Writes.read("Patient", "p-2"),
                Writes.write("POST", "Observation", null),
                Writes.write("DELETE", "Basic", null));

        intents.store(Writes.exchange(request, null));

        Map<String, Object> row = own.jdbc
                .sql(
                        """
                        select state, tenant, principal, scope, correlation_id, causation_id, http_status, closed_at,
                            array_to_string(methods, ',') as methods, array_to_string(types, ',') as types,
                            array_to_string(ids, ',', 'null') as ids, array_to_string(counts, ',') as counts,
                            round(extract(epoch from next_at - created_at)) as wait
                        from fhir_intent where request_id = ?""")
                .param(id)
                .query()
                .singleRow();
        assertThat(row)
                .containsEntry("state", "OPEN")
                .containsEntry("tenant", "default")
                .containsEntry("principal", "sandbox")
                .containsEntry("scope", "system/*.cruds")
                .containsEntry("correlation_id", "visit-1")
                .containsEntry("causation_id", request.causationId())
                .containsEntry("http_status", null)
                .containsEntry("closed_at", null)
                .containsEntry("methods", "POST,PUT,DELETE")
                .containsEntry("types", "Observation,Patient,Basic")
                .containsEntry("ids", "null,p-1,null")
                .containsEntry("counts", "2,1,1");
        // connect-timeout, three times response-timeout, the time for 4 MiB, and the margin
        assertThat(row.get("wait").toString()).isEqualTo("98");
    }

    @Test
    void namesTheHomeTenantOfAnOperatorWhoActsForAnother() {
        Caller operator = new Caller("ann", "home", "home", null, Set.of(), Set.of()).actingFor("clinic");

        intents.store(Writes.exchange(
                Writes.request(operator, id, false, List.of(Writes.write("PUT", "Patient", "p-1"))), null));

        assertThat(own.jdbc
                        .sql("select tenant || ' ' || principal from fhir_intent")
                        .query(String.class)
                        .list())
                .containsExactly("clinic ann of tenant home");
    }

    @Test
    void storesABundleOfThousandsOfEntries() {
        FhirInteraction[] entries = IntStream.range(0, 5000)
                .mapToObj(n -> Writes.write("PUT", "Patient", "p-" + n))
                .toArray(FhirInteraction[]::new);

        intents.store(Writes.exchange(Writes.bundle(id, entries), null));

        assertThat(own.jdbc
                        .sql("select cardinality(ids) from fhir_intent")
                        .query(Integer.class)
                        .single())
                .isEqualTo(5000);
    }

    @Test
    void failsWhenTheDatabaseIsDownSoThatNothingIsSent() {
        assertThatThrownBy(() ->
                        intents(nowhere()).store(Writes.exchange(Writes.write(id, "PUT", "Patient", "p-1"), null)))
                .satisfies(failure ->
                        assertThat(failures.isDependencyDown(failure)).isTrue());
    }

    @Test
    void notesTheVersionThatTheAnswerNames() {
        store("PUT");

        note("PUT", Writes.answer(201, "", "content-location", PATIENT));

        assertThat(states()).containsExactly(id + " DONE 201 closed");
        assertThat(outcomes()).containsExactly("Patient/p-1/2 " + id + " true");
    }

    @Test
    void notingTwiceChangesNothing() {
        store("PUT");
        note("PUT", Writes.answer(201, "", "content-location", PATIENT));
        List<Map<String, Object>> before = rows();

        note("PUT", Writes.answer(201, "", "content-location", PATIENT));

        assertThat(rows()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(ints = {304, 400, 404, 409, 412})
    void closesARefusedWriteWithoutAnOutcome(int status) {
        store("PUT");

        note("PUT", Writes.answer(status, "", "content-location", PATIENT));

        assertThat(states()).containsExactly(id + " DONE " + status + " closed");
        assertThat(outcomes()).isEmpty();
    }

    @Test
    void leavesAWriteOpenThatTheServerFailedToAnswer() {
        store("PUT");

        note("PUT", Writes.answer(500, ""));

        assertThat(states()).containsExactly(id + " OPEN 500 null");
        assertThat(isDue()).isFalse();
    }

    @Test
    void leavesAWriteOpenThatHasNoAnswer() {
        store("PUT");

        intents.noteOutcome(Writes.exchange(Writes.write(id, "PUT", "Patient", "p-1"), null));

        assertThat(states()).containsExactly(id + " OPEN null null");
    }

    @Test
    void closesAnIntentWhoseRequestWasNeverSent() {
        Exchange exchange = Writes.exchange(Writes.write(id, "PUT", "Patient", "p-1"), null);
        intents.store(exchange);
        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, new NotDoneException(503, "down"));

        exchange.getExchangeExtension().handoverCompletions().forEach(done -> done.onComplete(exchange));

        assertThat(states()).containsExactly(id + " NO_EFFECT null closed");
    }

    @Test
    void leavesAnIntentOpenWhoseRequestMayHaveBeenSent() {
        Exchange exchange = Writes.exchange(Writes.write(id, "PUT", "Patient", "p-1"), null);
        intents.store(exchange);
        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, ProblemException.temporary(504, "no answer"));

        exchange.getExchangeExtension().handoverCompletions().forEach(done -> done.onComplete(exchange));

        assertThat(states()).containsExactly(id + " OPEN null null");
    }

    @Test
    void searchesForAnIncompleteAnswerWithoutAWait() {
        intents.store(Writes.exchange(Writes.write(id, "DELETE", "Patient", null), null));

        intents.noteOutcome(Writes.exchange(Writes.write(id, "DELETE", "Patient", null), Writes.answer(200, "")));

        assertThat(states()).containsExactly(id + " OPEN 200 null");
        assertThat(isDue()).isTrue();
    }

    @Test
    void leavesTheAnswerToTheCallerWhenTheDatabaseIsDown() {
        store("PUT");

        intents(nowhere())
                .noteOutcome(Writes.exchange(
                        Writes.write(id, "PUT", "Patient", "p-1"),
                        Writes.answer(201, "", "content-location", PATIENT)));

        assertThat(states()).containsExactly(id + " OPEN null null");
    }

    @Test
    void anAnswerCountsEvenAfterTheSearchHasEnded() {
        store("PUT");
        own.jdbc
                .sql("update fhir_intent set state = 'NO_EFFECT', closed_at = now()")
                .update();

        note("PUT", Writes.answer(201, "", "content-location", PATIENT));

        assertThat(states()).containsExactly(id + " DONE 201 closed");
        assertThat(outcomes()).hasSize(1);
    }

    @Test
    void claimsNoVersionThatAnotherRequestIsKnownToHaveMade() {
        String maker = Writes.newRequestId();
        intents.noteOutcome(Writes.exchange(
                Writes.write(maker, "PUT", "Patient", "p-1"), Writes.answer(201, "", "content-location", PATIENT)));
        store("PUT");

        note("PUT", Writes.answer(200, "", "content-location", PATIENT));

        assertThat(outcomes()).containsExactly("Patient/p-1/2 " + maker + " true");
        assertThat(states()).containsExactly(id + " DONE 200 closed");
    }

    @Test
    void aLaterConfirmationConfirmsAClaim() {
        store("PUT");
        note("PUT", Writes.answer(200, "", "content-location", PATIENT));
        assertThat(outcomes()).containsExactly("Patient/p-1/2 " + id + " false");

        note("PUT", Writes.answer(201, "", "content-location", PATIENT));

        assertThat(outcomes()).containsExactly("Patient/p-1/2 " + id + " true");
    }

    @Test
    void countsRequestIdsThatTheServerReplaces() {
        store("PUT");

        note("PUT", Writes.answer(201, "", "content-location", PATIENT, "x-request-id", id));
        note("PUT", Writes.answer(201, "", "content-location", PATIENT));
        assertThat(replaced()).isZero();

        note("PUT", Writes.answer(201, "", "content-location", PATIENT, "x-request-id", "another"));
        note("PUT", Writes.answer(500, "", "x-request-id", "another"));
        assertThat(replaced()).isEqualTo(2);
    }

    /** Asked by whatever announces changes. */
    @Test
    void findsTheMakerOfAVersionByIndexes() {
        String byVersion =
                """
                select request_id from fhir_outcome
                where tenant = 'default' and type = 'Patient' and id = 'p-1' and version = '2'""";
        String byRequest = "select * from fhir_intent where request_id = '" + id + "'";
        String open = "select * from fhir_intent where state = 'OPEN' order by created_at limit 10";

        assertThat(plan(byVersion)).contains("fhir_outcome_pkey");
        assertThat(plan(byRequest)).contains("fhir_intent_pkey");
        assertThat(plan(open)).contains("fhir_intent_open");
    }

    private static String plan(String query) {
        return own.transactions.execute(status -> {
            own.jdbc.sql("set local enable_seqscan = off").update();
            return String.join(
                    "\n", own.jdbc.sql("explain " + query).query(String.class).list());
        });
    }

    private void store(String method) {
        intents.store(Writes.exchange(Writes.write(id, method, "Patient", "p-1"), null));
    }

    private void note(String method, FhirAnswer answer) {
        intents.noteOutcome(Writes.exchange(Writes.write(id, method, "Patient", "p-1"), answer));
    }

    private double replaced() {
        return meters.get("event-broker.fhir.request-ids-replaced").counter().count();
    }

    private static JdbcClient nowhere() {
        return JdbcClient.create(new DriverManagerDataSource("jdbc:postgresql://127.0.0.1:1/none", "none", "none"));
    }

    private static List<String> states() {
        return own.jdbc
                .sql(
                        """
                        select concat_ws(' ', request_id, state, coalesce(http_status::text, 'null'),
                                         case when closed_at is null then 'null' else 'closed' end)
                        from fhir_intent order by created_at""")
                .query(String.class)
                .list();
    }

    private static List<String> outcomes() {
        return own.jdbc
                .sql(
                        """
                        select format('%s/%s/%s %s %s', type, id, version, request_id,
                                      case when confirmed then 'true' else 'false' end)
                        from fhir_outcome order by type, id, version""")
                .query(String.class)
                .list();
    }

    private static List<Map<String, Object>> rows() {
        return own
                .jdbc
                .sql("select i.*, o.* from fhir_intent i join fhir_outcome o on o.request_id = i.request_id")
                .query()
                .listOfRows()
                .stream()
                .map(row -> {
                    row.replaceAll((name, value) -> value instanceof java.sql.Array array ? array.toString() : value);
                    return row;
                })
                .toList();
    }

    private static boolean isDue() {
        return own.jdbc
                .sql("select next_at <= clock_timestamp() from fhir_intent")
                .query(Boolean.class)
                .single();
    }
}
