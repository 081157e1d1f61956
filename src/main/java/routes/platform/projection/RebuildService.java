package routes.platform.projection;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.state.RetentionRule;

/** Starts rebuilds of projections and reports their state. */
@Component("rebuildService")
class RebuildService {

    private static final int MAX_IDS = 50;

    private final Map<String, Projection> projections;
    private final JdbcClient jdbc;
    private final ProjectionOffsets offsets;

    RebuildService(List<Projection> projections, JdbcClient jdbc, ProjectionOffsets offsets) {
        this.projections = projections.stream().collect(Collectors.toMap(Projection::name, Function.identity()));
        this.jdbc = jdbc;
        this.offsets = offsets;
    }

    @Bean
    static RetentionRule rebuildRetention(@Value("${event-broker.retention.projection-rebuilds}") Duration keep) {
        return new RetentionRule("projection_rebuild", "finished_at", keep);
    }

    enum State {
        LIVE,
        REBUILDING,
        FAILED
    }

    /**
     * A projection and its last rebuild. The fields of the rebuild are null or 0 before the first one.
     *
     * @param state REBUILDING while a rebuild runs and the view is still served; FAILED when the last one failed
     * @param eventsDone records that the rebuild has read
     * @param eventsTotal records to read; grows while events arrive
     * @param rate records per second
     * @param etaSeconds remaining time at this rate; null when unknown
     * @param lag records of all tenants that are not in the view yet; null when no broker answers
     * @param differences records that differ from the log; null before the comparison
     * @param differingIds the first of them that belong to the caller's tenant
     * @param poisonSkipped poison messages that the rebuild skipped; their dead letters stay in the dead-letter topic
     * @param startedBy visible to the tenant of the principal only, like reason and the id of the filter
     * @param failure the reason of FAILED
     * @param startedAt epoch milliseconds
     * @param finishedAt epoch milliseconds
     */
    record Status(
            String name,
            State state,
            long eventsDone,
            long eventsTotal,
            double rate,
            Long etaSeconds,
            Long lag,
            Integer differences,
            List<String> differingIds,
            long poisonSkipped,
            Boolean dryRun,
            Filter filter,
            String startedBy,
            String reason,
            Long startedAt,
            Long finishedAt,
            String failure) {}

    /** The part of the log to rebuild from: all of it when all fields are null. */
    record Filter(String id, Long from, Long to) {}

    private record Run(
            UUID id,
            String tenant,
            String state,
            boolean dryRun,
            String key,
            Long fromTime,
            Long toTime,
            long eventsDone,
            long eventsTotal,
            long poisonSkipped,
            double rate,
            Integer differences,
            String failure,
            String startedBy,
            String reason,
            long startedAt,
            Long finishedAt) {}

    /**
     * Starts a rebuild.
     *
     * @return the projection, REBUILDING
     * @throws ProblemException 404 when no projection has the name, 409 while a rebuild runs
     */
    @Transactional
    public Status start(@Header("name") String name, Exchange exchange) {
        Projection projection = projection(name);
        HttpRequest request = HttpRequest.of(exchange);
        String key = request.text("id");
        Long from = request.number("from");
        Long to = request.number("to");
        if (key != null && (from != null || to != null)) {
            throw new ProblemException(400, "query parameter id: not together with from and to");
        }
        UUID id = UUID.randomUUID();
        int inserted = jdbc.sql(
                        """
                        insert into projection_rebuild (id, tenant, projection, state, step, dry_run, key, from_time, to_time,
                                                        started_by, reason)
                        values (?, ?, ?, 'RUNNING', 'PREPARE', ?, ?, ?, ?, ?, ?)
                        on conflict (projection) where state = 'RUNNING' do nothing""")
                .params(
                        id,
                        request.caller().tenant(),
                        projection.name(),
                        request.isTrue("dryRun"),
                        key,
                        from,
                        to,
                        request.caller().auditName(),
                        request.text("reason"))
                .update();
        if (inserted == 0) {
            throw new ProblemException(409, "the projection is being rebuilt");
        }
        if (key != null) {
            jdbc.sql("insert into projection_rebuild_key (rebuild, key) values (?, ?)")
                    .params(id, key)
                    .update();
        }
        return status(projection, request.caller().tenant());
    }

    /** @throws ProblemException 404 when no projection has the name */
    public Status show(@Header("name") String name, Exchange exchange) {
        return status(projection(name), HttpRequest.of(exchange).caller().tenant());
    }

    private Projection projection(String name) {
        return Optional.ofNullable(projections.get(name))
                .orElseThrow(() -> new ProblemException(
                        404,
                        "no such projection; there are " + String.join(", ", new TreeSet<>(projections.keySet()))));
    }

    private Status status(Projection projection, String tenant) {
        Long lag = offsets.lag(projection);
        return jdbc.sql(
                        """
                        select id, tenant, state, dry_run, key, from_time, to_time, events_done, events_total, poison_skipped, rate,
                               differences, failure, started_by, reason,
                               (extract(epoch from started_at) * 1000)::bigint as started_at,
                               (extract(epoch from finished_at) * 1000)::bigint as finished_at
                        from projection_rebuild where projection = ? order by started_at desc limit 1""")
                .param(projection.name())
                .query(Run.class)
                .optional()
                .map(run -> status(projection, run, lag, tenant))
                .orElseGet(() -> new Status(
                        projection.name(),
                        State.LIVE,
                        0,
                        0,
                        0,
                        null,
                        lag,
                        null,
                        List.of(),
                        0,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null));
    }

    private Status status(Projection projection, Run run, Long lag, String tenant) {
        boolean running = run.state().equals("RUNNING");
        boolean own = run.tenant().equals(tenant);
        return new Status(
                projection.name(),
                running ? State.REBUILDING : run.state().equals("FAILED") ? State.FAILED : State.LIVE,
                run.eventsDone(),
                run.eventsTotal(),
                Math.round(run.rate()),
                running && run.rate() >= 1
                        ? (Long) Math.round((run.eventsTotal() - run.eventsDone()) / run.rate())
                        : null,
                lag,
                run.differences(),
                jdbc.sql("select id from projection_difference where rebuild = ? and tenant = ? order by id limit ?")
                        .params(run.id(), tenant, MAX_IDS)
                        .query(String.class)
                        .list(),
                run.poisonSkipped(),
                run.dryRun(),
                new Filter(own ? run.key() : null, run.fromTime(), run.toTime()),
                own ? run.startedBy() : null,
                own ? run.reason() : null,
                run.startedAt(),
                run.finishedAt(),
                run.failure());
    }
}
