package routes.eventsourcing;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.database.SqlArrays;
import routes.platform.projection.PositionedEvent;

/** Stores the events of patients in {@code patient_event} and folds them in their order. */
@Component
class PatientEventStore {

    /**
     * SQL expression for an event's sort time. Rows sort by sort time, partition and offset.
     *
     * @see PatientProjection
     */
    static final String SORT_TIME =
            """
            case when reprocessed then event_timestamp
                 else max(event_timestamp) over (partition by tenant, patient_id, partition order by "offset") end""";

    /** Upserts events: of several records with one event id, the lowest partition and offset counts. */
    private static final String UPSERT_EVENTS =
            """
            insert into patient_event as known (tenant, patient_id, event_id, event_type, event_timestamp, partition, "offset",
                                                reprocessed, correlation_id, causation_id, data)
            select tenant, patient_id, event_id, event_type, event_timestamp, :partition, "offset", reprocessed, correlation_id,
                   causation_id, data::jsonb
            from unnest(:tenants, :patients, :ids, :types, :timestamps, :offsets, :reprocessed, :correlations, :causations, :data)
                 as e(tenant, patient_id, event_id, event_type, event_timestamp, "offset", reprocessed, correlation_id, causation_id, data)
            on conflict (tenant, patient_id, event_id) do update
            set event_type = excluded.event_type, event_timestamp = excluded.event_timestamp, partition = excluded.partition,
                "offset" = excluded."offset", reprocessed = excluded.reprocessed, correlation_id = excluded.correlation_id,
                causation_id = excluded.causation_id, data = excluded.data
            where (excluded.partition, excluded."offset") < (known.partition, known."offset")
            returning tenant, patient_id, event_id, xmax = 0 as is_new""";

    private static final String SELECT_HISTORY =
            """
            select tenant, patient_id, event_type, event_timestamp, partition, "offset", data
            from (select *, """
                    + SORT_TIME
                    + """
             as sort_time from patient_event
            where (tenant, patient_id) in (select * from unnest(:tenants, :patients)) and event_timestamp <= :until) e
            order by tenant, patient_id, sort_time, partition, "offset\"""";

    /** Rows in memory at a time: the history of a patient may be large. */
    private static final int FETCH_SIZE = 500;

    private final JdbcClient jdbc;
    private final JdbcClient histories;
    private final PatientJson json;

    PatientEventStore(DataSource database, JdbcClient jdbc, PatientJson json) {
        this.jdbc = jdbc;
        JdbcTemplate template = new JdbcTemplate(database);
        template.setFetchSize(FETCH_SIZE);
        this.histories = JdbcClient.create(template);
        this.json = json;
    }

    /**
     * Upserts the events of one partition.
     *
     * @return the events that changed the table: true for a new event, false for one that has moved to an earlier
     *     record; a duplicate is missing
     */
    Map<PatientEventKey, Boolean> upsert(int partition, Map<PatientEventKey, PositionedEvent> events) {
        Collection<PositionedEvent> rows = events.values();
        Map<PatientEventKey, Boolean> changed = new LinkedHashMap<>();
        jdbc.sql(UPSERT_EVENTS)
                .param("partition", partition)
                .param(
                        "tenants",
                        SqlArrays.texts(rows, e -> e.event().metadata().tenant()))
                .param("patients", SqlArrays.texts(rows, PositionedEvent::key))
                .param("ids", SqlArrays.of("uuid", events.keySet(), PatientEventKey::eventId))
                .param("types", SqlArrays.texts(rows, e -> e.event().metadata().eventType()))
                .param(
                        "timestamps",
                        SqlArrays.longs(rows, e -> e.event().metadata().timestamp()))
                .param("offsets", SqlArrays.longs(rows, PositionedEvent::offset))
                .param("reprocessed", SqlArrays.of("bool", rows, PositionedEvent::reprocessed))
                .param(
                        "correlations",
                        SqlArrays.texts(rows, e -> e.event().metadata().correlationId()))
                .param(
                        "causations",
                        SqlArrays.texts(rows, e -> e.event().metadata().causationId()))
                .param("data", SqlArrays.texts(rows, e -> json.write(PatientPayload.fields(e))))
                .query(row -> {
                    changed.put(
                            new PatientEventKey(
                                    new PatientKey(row.getString("tenant"), row.getString("patient_id")),
                                    row.getObject("event_id", UUID.class)),
                            row.getBoolean("is_new"));
                });
        return changed;
    }

    /**
     * Folds the events of each patient, in a transaction: only there PostgreSQL reads in portions.
     *
     * @param until epoch milliseconds; later events are left out
     */
    Map<PatientKey, PatientHistory> fold(Set<PatientKey> patients, long until) {
        Map<PatientKey, PatientHistory> all = new LinkedHashMap<>();
        histories
                .sql(SELECT_HISTORY)
                .param("tenants", SqlArrays.texts(patients, PatientKey::tenant))
                .param("patients", SqlArrays.texts(patients, PatientKey::id))
                .param("until", until)
                .query(row -> {
                    all.computeIfAbsent(
                                    new PatientKey(row.getString("tenant"), row.getString("patient_id")),
                                    patient -> new PatientHistory())
                            .apply(
                                    row.getString("event_type"),
                                    row.getLong("event_timestamp"),
                                    json.read(row.getString("data")),
                                    row.getInt("partition"),
                                    row.getLong("offset"));
                });
        return all;
    }
}
