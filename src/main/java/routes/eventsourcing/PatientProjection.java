package routes.eventsourcing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.projection.PositionedEvent;
import routes.platform.projection.Projection;

/**
 * The projection {@code patient-view}: the history of every patient, and the view that follows from it.
 *
 * <p><b>The order of a patient's events is that of the log.</b> Where the log has none, they count by time: between partitions, when producers
 * partition differently; and for one that was a dead letter and is sent again. Precisely: each event has a place in time, which is the
 * highest timestamp of the patient's events in its partition up to it, or its own when it is reprocessed; events count by place, partition and
 * offset. An eventId counts once per patient, by its record with the lowest partition and offset. So the view follows from the set of
 * records, in whatever order they come; and an ordinary event behind all others of its partition, when the last one is of that partition too,
 * is the last one: then the view need not be made anew ({@code docs/adr/0014-projections-and-replay.md}).
 */
@Component("patientProjection")
class PatientProjection extends Projection {

    /** Events in their order: of the rows {@code patient_event} of one or many patients. */
    static final String PLACE =
            """
            case when reprocessed then event_timestamp
                 else max(event_timestamp) over (partition by tenant, patient_id, partition order by "offset") end""";

    /** The lowest record of an event is the one that counts. */
    private static final String ADD_EVENTS =
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

    /** Locks the rows of all patients, in the order of the arrays, also of those that it does not change. */
    private static final String APPEND =
            """
            insert into patient_view as known (tenant, patient_id, view, partition, last_offset)
            select tenant, patient_id, view::jsonb, :partition, last_offset
            from unnest(:tenants, :patients, :views, :offsets) as v(tenant, patient_id, view, last_offset)
            on conflict (tenant, patient_id) do update
            set view = known.view || excluded.view, last_offset = excluded.last_offset
            where known.partition = excluded.partition and known.last_offset < excluded.last_offset
            returning tenant, patient_id""";

    private static final String HISTORY =
            """
            select tenant, patient_id, event_type, event_timestamp, partition, "offset", data
            from (select *, """
                    + PLACE
                    + """
             as place from patient_event
            where (tenant, patient_id) in (select * from unnest(:tenants, :patients)) and event_timestamp <= :until) e
            order by tenant, patient_id, place, partition, "offset\"""";

    private static final String REPLACE =
            """
            update patient_view known set view = v.view::jsonb, partition = v.partition, last_offset = v.last_offset
            from unnest(:tenants, :patients, :views, :partitions, :offsets) as v(tenant, patient_id, view, partition, last_offset)
            where known.tenant = v.tenant and known.patient_id = v.patient_id""";

    private static final TypeReference<Map<String, String>> FIELDS = new TypeReference<>() {};

    /** Rows of histories that are in memory at a time, for they may be large. */
    private static final int FETCH = 500;

    private final JdbcClient jdbc;
    private final JdbcClient histories;
    private final TransactionTemplate transactions;
    private final ObjectMapper mapper;

    PatientProjection(DataSource database, JdbcClient jdbc, TransactionTemplate transactions, ObjectMapper mapper) {
        super(
                "patient-view",
                "patient-view-builder",
                Set.of("patient.events"),
                List.of(
                        new Table("patient_event", List.of("patient_id", "tenant", "event_id")),
                        new Table("patient_view", List.of("patient_id", "tenant"))),
                jdbc,
                transactions);
        this.jdbc = jdbc;
        JdbcTemplate rows = new JdbcTemplate(database);
        rows.setFetchSize(FETCH);
        this.histories = JdbcClient.create(rows);
        this.transactions = transactions;
        this.mapper = mapper;
    }

    private record Patient(String tenant, String id) implements Comparable<Patient> {

        private static final Comparator<Patient> ORDER =
                Comparator.comparing(Patient::tenant).thenComparing(Patient::id);

        static Patient of(PositionedEvent event) {
            return new Patient(event.event().metadata().tenant(), event.key());
        }

        @Override
        public int compareTo(Patient other) {
            return ORDER.compare(this, other);
        }
    }

    private record EventKey(Patient patient, UUID event) {

        private static final Comparator<EventKey> ORDER =
                Comparator.comparing(EventKey::patient).thenComparing(EventKey::event);

        static EventKey of(PositionedEvent event) {
            return new EventKey(
                    Patient.of(event), UUID.fromString(event.event().metadata().eventId()));
        }
    }

    /** The fold of a patient's history, and behind which record it is: of the last event's partition, the last one. */
    private static final class Folded {

        private final PatientState fold = new PatientState();
        private final Map<Integer, Long> lastOffsets = new HashMap<>();
        private int partition;

        private int partition() {
            return partition;
        }

        private long lastOffset() {
            return lastOffsets.get(partition);
        }
    }

    @Override
    public void apply(List<PositionedEvent> events) {
        // in one order for everybody, or two transactions with the same events or patients could wait for each other
        Map<EventKey, PositionedEvent> first = new TreeMap<>(EventKey.ORDER);
        events.forEach(event -> first.putIfAbsent(EventKey.of(event), event));
        int partition = events.get(0).partition();
        Map<EventKey, Boolean> added = add(partition, first);
        if (added.isEmpty()) {
            return;
        }
        Set<Patient> unsettled = append(partition, first, added);
        if (!unsettled.isEmpty()) {
            replace(fold(unsettled, Long.MAX_VALUE));
        }
    }

    /** @return whether an event is new; of those that are neither new nor have an earlier record now there is nothing */
    private Map<EventKey, Boolean> add(int partition, Map<EventKey, PositionedEvent> events) {
        Collection<PositionedEvent> rows = events.values();
        Map<EventKey, Boolean> added = new LinkedHashMap<>();
        jdbc.sql(ADD_EVENTS)
                .param("partition", partition)
                .param("tenants", texts(rows, e -> e.event().metadata().tenant()))
                .param("patients", texts(rows, PositionedEvent::key))
                .param(
                        "ids",
                        new SqlArrayValue(
                                "uuid",
                                events.keySet().stream().map(EventKey::event).toArray()))
                .param("types", texts(rows, e -> e.event().metadata().eventType()))
                .param("timestamps", longs(rows, e -> e.event().metadata().timestamp()))
                .param("offsets", longs(rows, PositionedEvent::offset))
                .param(
                        "reprocessed",
                        new SqlArrayValue(
                                "bool",
                                rows.stream().map(PositionedEvent::reprocessed).toArray()))
                .param("correlations", texts(rows, e -> e.event().metadata().correlationId()))
                .param("causations", texts(rows, e -> e.event().metadata().causationId()))
                .param("data", texts(rows, e -> json(PatientPayload.fields(e))))
                .query(row -> {
                    added.put(
                            new EventKey(
                                    new Patient(row.getString("tenant"), row.getString("patient_id")),
                                    row.getObject("event_id", UUID.class)),
                            row.getBoolean("is_new"));
                });
        return added;
    }

    /**
     * Puts what the new events say over the views, where they come behind all others.
     *
     * @return the patients whose view has to be made anew
     */
    private Set<Patient> append(int partition, Map<EventKey, PositionedEvent> events, Map<EventKey, Boolean> added) {
        Set<Patient> unsettled = new HashSet<>();
        Map<Patient, List<PositionedEvent>> changes = new TreeMap<>();
        events.forEach((key, event) -> {
            Boolean isNew = added.get(key);
            if (isNew != null) {
                changes.computeIfAbsent(key.patient(), patient -> new ArrayList<>())
                        .add(event);
            }
            // known before, at a place that is not looked up; moved to an earlier record; or counted by its time
            if (!Boolean.TRUE.equals(isNew) || event.reprocessed()) {
                unsettled.add(key.patient());
            }
        });
        unsettled.retainAll(changes.keySet());
        List<String> views = new ArrayList<>();
        List<Long> offsets = new ArrayList<>();
        changes.values().forEach(ofPatient -> {
            ofPatient.sort(Comparator.comparingLong(PositionedEvent::offset));
            PatientState fold = new PatientState();
            ofPatient.forEach(event -> fold.add(
                    event.event().metadata().eventType(),
                    event.event().metadata().timestamp(),
                    PatientPayload.fields(event)));
            views.add(json(fold.view()));
            offsets.add(ofPatient.get(ofPatient.size() - 1).offset());
        });
        Set<Patient> settled = new HashSet<>();
        jdbc.sql(APPEND)
                .param("partition", partition)
                .param("tenants", texts(changes.keySet(), Patient::tenant))
                .param("patients", texts(changes.keySet(), Patient::id))
                .param("views", texts(views, view -> view))
                .param("offsets", longs(offsets, offset -> offset))
                .query(row -> {
                    settled.add(new Patient(row.getString("tenant"), row.getString("patient_id")));
                });
        changes.keySet().stream().filter(patient -> !settled.contains(patient)).forEach(unsettled::add);
        return unsettled;
    }

    /**
     * What the events of a patient make, up to an instant. They are read, however many there are of others.
     *
     * @param until epoch milliseconds
     * @return empty when there are none
     */
    Optional<Map<String, Object>> asOf(String tenant, String patient, long until) {
        return transactions.execute(status -> fold(Set.of(new Patient(tenant, patient)), until).values().stream()
                .findFirst()
                .map(folded -> folded.fold.view()));
    }

    private Map<Patient, Folded> fold(Set<Patient> patients, long until) {
        Map<Patient, Folded> all = new LinkedHashMap<>();
        histories
                .sql(HISTORY)
                .param("tenants", texts(patients, Patient::tenant))
                .param("patients", texts(patients, Patient::id))
                .param("until", until)
                .query(row -> {
                    Folded folded = all.computeIfAbsent(
                            new Patient(row.getString("tenant"), row.getString("patient_id")), patient -> new Folded());
                    folded.fold.add(
                            row.getString("event_type"), row.getLong("event_timestamp"), fields(row.getString("data")));
                    folded.partition = row.getInt("partition");
                    folded.lastOffsets.merge(folded.partition, row.getLong("offset"), Math::max);
                });
        return all;
    }

    /** Their rows are locked since they were appended to. */
    private void replace(Map<Patient, Folded> views) {
        jdbc.sql(REPLACE)
                .param("tenants", texts(views.keySet(), Patient::tenant))
                .param("patients", texts(views.keySet(), Patient::id))
                .param("views", texts(views.values(), folded -> json(folded.fold.view())))
                .param(
                        "partitions",
                        new SqlArrayValue(
                                "int",
                                views.values().stream().map(Folded::partition).toArray()))
                .param("offsets", longs(views.values(), Folded::lastOffset))
                .update();
    }

    private Map<String, String> fields(String data) {
        try {
            return mapper.readValue(data, FIELDS);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("it was written here", e);
        }
    }

    private String json(Map<String, ?> object) {
        try {
            return mapper.writeValueAsString(object);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of texts and numbers is JSON", e);
        }
    }
}
