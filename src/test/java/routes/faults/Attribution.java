package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import sandbox.Servers;

/**
 * Compares the versions that a FHIR server has with the outcomes that the runtime has noted. The server's own tables
 * say which request made each version, also the deletes, of which a history does not tell.
 */
final class Attribution {

    private static final String VERSIONS =
            """
            select r.res_type || '/' || r.fhir_id as resource, v.res_ver as number, v.request_id,
                v.res_deleted_at is not null as is_delete
            from hfj_res_ver v join hfj_resource r on r.res_id = v.res_id""";

    private static final String INTENTS =
            """
            select request_id, correlation_id, state, coalesce(
                (select string_agg(type || '/' || id, ' ') from unnest(methods, types, ids) as asked (method, type, id)
                    where method = 'DELETE'), '') as deletes
            from fhir_intent""";

    private final JdbcClient fhir;
    private final JdbcClient runtime;

    Attribution(Servers servers) {
        fhir = JdbcClient.create(Clients.fhirDatabase(servers));
        runtime = JdbcClient.create(Clients.database(servers));
    }

    private record Version(String resource, long number, String requestId, boolean isDelete) {

        private String name() {
            return resource + "/_history/" + number;
        }
    }

    private record Noted(String version, String requestId, boolean confirmed) {}

    /** @param deletes the resources that it wants to delete, separated by spaces */
    private record Intent(String requestId, String correlationId, String state, String deletes) {

        private boolean deletes(String resource) {
            return List.of(deletes.split(" ")).contains(resource);
        }
    }

    long open() {
        return runtime.sql("select count(*) from fhir_intent where state = 'OPEN'")
                .query(Long.class)
                .single();
    }

    /** Waits until no intent is open. The calls are over, so the search for their effects need not wait longer. */
    void awaitResolved() {
        Patience.whileMoving(this::open).pollInterval(Duration.ofSeconds(1)).until(() -> {
            runtime.sql(
                            "update fhir_intent set next_at = now() where state = 'OPEN' and next_at > now() + interval '5 s'")
                    .update();
            return open() == 0;
        });
    }

    /** Returns the state of the only intent with a correlation id. */
    String state(String correlationId) {
        return runtime.sql("select state from fhir_intent where correlation_id = ?")
                .param(correlationId)
                .query(String.class)
                .single();
    }

    /** Returns the noted versions of the only intent with a correlation id. */
    List<String> noted(String correlationId) {
        return runtime.sql(
                        """
                        select type || '/' || id || '/_history/' || version from fhir_outcome o
                        join fhir_intent i on i.request_id = o.request_id
                        where i.correlation_id = ? and confirmed order by 1""")
                .param(correlationId)
                .query(String.class)
                .list();
    }

    /** Requires that each version is attributed to the intent that made it, and that nothing else is. */
    void verify(String what, Collection<FhirLoad.Success> successes) {
        List<Version> versions = fhir.sql(VERSIONS).query(Version.class).list();
        Map<String, List<Noted>> noted = runtime
                .sql(
                        "select type || '/' || id || '/_history/' || version as version, request_id, confirmed from fhir_outcome")
                .query(Noted.class)
                .list()
                .stream()
                .collect(Collectors.groupingBy(Noted::version));
        Map<String, Intent> intents = runtime.sql(INTENTS).query(Intent.class).list().stream()
                .collect(Collectors.toMap(Intent::requestId, intent -> intent));
        Map<String, Integer> counts = new TreeMap<>();
        intents.values().forEach(intent -> counts.merge(intent.state(), 1, Integer::sum));
        System.out.printf(
                "faults: FHIR, %s: %d versions, %d of them deletes; %d writes succeeded; intents %s%n",
                what,
                versions.size(),
                versions.stream().filter(Version::isDelete).count(),
                successes.size(),
                counts);

        assertThat(versions).allSatisfy(version -> requireMaker(version, noted, intents));
        Set<String> existing = versions.stream().map(Version::name).collect(Collectors.toSet());
        assertThat(noted.keySet()).as("noted versions").isSubsetOf(existing);
        assertThat(counts).doesNotContainKey("OPEN");
        assertThat(intents.values())
                .filteredOn(intent -> intent.state().equals("UNRESOLVED"))
                .allMatch(intent -> !intent.deletes().isEmpty());
        requireOneDeleteOfEach(noted, versions);
        requireSuccesses(successes, versions, intents);
    }

    /** An intent deletes a resource once. */
    private static void requireOneDeleteOfEach(Map<String, List<Noted>> noted, List<Version> versions) {
        Set<String> seen = new HashSet<>();
        for (Version version : versions) {
            if (version.isDelete()) {
                noted.getOrDefault(version.name(), List.of()).stream()
                        .filter(Noted::confirmed)
                        .forEach(one -> assertThat(seen.add(one.requestId() + " " + version.resource()))
                                .as("%s deletes %s twice", one, version)
                                .isTrue());
            }
        }
    }

    private static void requireMaker(Version version, Map<String, List<Noted>> noted, Map<String, Intent> intents) {
        List<Noted> makers = noted.getOrDefault(version.name(), List.of());
        List<String> confirmed =
                makers.stream().filter(Noted::confirmed).map(Noted::requestId).toList();
        if (version.isDelete()) {
            if (confirmed.isEmpty()) {
                assertThat(intents.values())
                        .as("intents that may have made %s", version)
                        .anyMatch(intent -> intent.state().equals("UNRESOLVED") && intent.deletes(version.resource()));
            } else {
                assertThat(confirmed).as("makers of %s", version).hasSize(1);
                assertThat(intents.get(confirmed.get(0)).deletes(version.resource()))
                        .as("%s deletes %s", confirmed, version)
                        .isTrue();
            }
        } else {
            assertThat(intents).as("intent of %s", version).containsKey(version.requestId());
            // an unconfirmed note counts when the version names its intent
            assertThat(makers)
                    .as("notes of %s", version)
                    .extracting(Noted::requestId)
                    .contains(version.requestId());
            assertThat(List.of(version.requestId()))
                    .as("confirmed makers of %s", version)
                    .containsAll(confirmed);
        }
    }

    /** A success names versions that exist: its own, or one that it found to be as it should be. */
    private static void requireSuccesses(
            Collection<FhirLoad.Success> successes, List<Version> versions, Map<String, Intent> intents) {
        // a delete has no id
        Map<String, String> makers = versions.stream()
                .collect(Collectors.toMap(Version::name, version -> String.valueOf(version.requestId())));
        Map<String, Intent> byCorrelation =
                intents.values().stream().collect(Collectors.toMap(Intent::correlationId, intent -> intent));
        Set<String> unknown = new HashSet<>();
        for (FhirLoad.Success success : successes) {
            Intent intent = byCorrelation.get(success.correlationId());
            assertThat(intent).as("intent of %s", success).isNotNull();
            assertThat(intent.state()).as("%s of %s", intent, success).isEqualTo("DONE");
            success.versions().stream()
                    .filter(named -> !makers.containsKey(named))
                    .forEach(unknown::add);
            if (success.status() == 201) {
                assertThat(success.versions())
                        .as("what %s created", success)
                        .isNotEmpty()
                        .allMatch(named -> intent.requestId().equals(makers.get(named)));
            }
        }
        assertThat(unknown).as("versions that answers name").isEmpty();
    }
}
