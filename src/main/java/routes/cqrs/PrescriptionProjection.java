package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.SqlArrayValue;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.Json;
import routes.platform.projection.LoggedEvent;
import routes.platform.projection.Projection;

/**
 * The projection {@code prescription-view}: what is asked of prescriptions. An event of the write side has the whole prescription and its
 * version: the highest version stays, in whatever order events come. An event without a version is of a service that wrote to the topic
 * itself: it is folded into what there is in the order of its partition.
 */
@Component("prescriptionProjection")
class PrescriptionProjection extends Projection {

    /** What the columns that are asked by can hold: more cannot be asked for. */
    private static final int MAX_LENGTH = 256;

    private static final Set<String> STATUSES =
            Set.of(Prescription.ACTIVE, Prescription.ON_HOLD, Prescription.CANCELLED, Prescription.COMPLETED);

    private static final String FIND =
            """
            select tenant, prescription_id, prescription, partition, last_offset from prescription_view
            where (tenant, prescription_id) in (select * from unnest(:tenants, :ids))
            order by tenant, prescription_id for update""";

    private static final String ADD =
            """
            insert into prescription_view (tenant, prescription_id, patient_id, prescriber_id, status, version, created_at, prescription,
                                           partition, last_offset)
            select * from unnest(:tenants, :ids, :patients, :prescribers, :statuses, :versions, :created, :prescriptions, :partitions,
                                 :offsets)
            on conflict do nothing""";

    private static final String CHANGE =
            """
            update prescription_view known
            set patient_id = v.patient_id, prescriber_id = v.prescriber_id, status = v.status, version = v.version,
                created_at = v.created_at, prescription = v.prescription, partition = v.partition, last_offset = v.last_offset
            from unnest(:tenants, :ids, :patients, :prescribers, :statuses, :versions, :created, :prescriptions, :partitions, :offsets)
                 as v(tenant, prescription_id, patient_id, prescriber_id, status, version, created_at, prescription, partition, last_offset)
            where known.tenant = v.tenant and known.prescription_id = v.prescription_id""";

    private final JdbcClient jdbc;

    PrescriptionProjection(JdbcClient jdbc, TransactionTemplate transactions) {
        super(
                "prescription-view",
                "medication-read-model-builder",
                Set.of(CommandHandler.TOPIC),
                List.of(new Table("prescription_view", List.of("prescription_id", "tenant"))),
                jdbc,
                transactions);
        this.jdbc = jdbc;
    }

    private record Key(String tenant, String id) {

        private static final Comparator<Key> ORDER =
                Comparator.comparing(Key::tenant).thenComparing(Key::id);
    }

    /** A prescription as the events up to an offset of a partition say. */
    private record View(Key key, ObjectNode prescription, int partition, long offset) {

        private String text(String field) {
            JsonNode value = prescription.path(field);
            return value.isTextual()
                            && value.textValue().length() <= MAX_LENGTH
                            && value.textValue().chars().noneMatch(Character::isISOControl)
                    ? value.textValue()
                    : null;
        }

        private long number(String field) {
            return prescription.path(field).longValue();
        }
    }

    @Override
    public void apply(List<LoggedEvent> events) {
        Map<Key, View> known = new HashMap<>();
        Map<Key, View> changed = new TreeMap<>(Key.ORDER);
        Set<Key> keys = new TreeSet<>(Key.ORDER);
        events.forEach(event -> keys.add(key(event)));
        find(keys).forEach(view -> known.put(view.key(), view));
        for (LoggedEvent event : events) {
            Key key = key(event);
            View before = changed.getOrDefault(key, known.get(key));
            View after = fold(key, before, event);
            if (after != before) {
                changed.put(key, after);
            }
        }
        write(
                CHANGE,
                changed.values().stream()
                        .filter(view -> known.containsKey(view.key()))
                        .toList());
        List<View> added = changed.values().stream()
                .filter(view -> !known.containsKey(view.key()))
                .toList();
        if (write(ADD, added) < added.size()) {
            throw new OptimisticLockingFailureException("another member has added a prescription meanwhile");
        }
    }

    private static Key key(LoggedEvent event) {
        return new Key(event.event().metadata().tenant(), event.key());
    }

    /** @return the same view when the event says nothing new about it */
    private static View fold(Key key, View before, LoggedEvent event) {
        JsonNode value = (JsonNode) event.event().payload();
        ObjectNode payload = (ObjectNode) value.path("payload");
        boolean repeated =
                before != null && before.partition() == event.partition() && before.offset() >= event.offset();
        if (repeated) {
            return before;
        }
        ObjectNode prescription;
        if (payload.has(Prescription.VERSION)) {
            if (before != null
                    && before.number(Prescription.VERSION)
                            >= payload.path(Prescription.VERSION).longValue()) {
                return before;
            }
            prescription = payload.deepCopy().without(Command.SAGA_ID);
        } else {
            prescription = ofOthers(key, before, event, payload);
            if (prescription == null) {
                return before;
            }
        }
        return new View(key, prescription, event.partition(), event.offset());
    }

    /** Null when it says nothing of a prescription that is known. */
    private static ObjectNode ofOthers(Key key, View before, LoggedEvent event, ObjectNode payload) {
        Command.Type type = Command.Type.ofEvent(event.event().metadata().eventType());
        if (type == null || before == null && type != Command.Type.CREATE) {
            return null;
        }
        long at = event.event().metadata().timestamp();
        ObjectNode prescription = JsonNodeFactory.instance.objectNode();
        String status = Prescription.ACTIVE;
        if (before != null) {
            prescription.setAll(before.prescription());
            status = before.text(Prescription.STATUS);
        }
        String said = payload.path(Prescription.STATUS).asText();
        ObjectNode fields = payload.deepCopy().without(Command.SAGA_ID);
        prescription.setAll(fields);
        return prescription
                .put(Prescription.ID, key.id())
                .put(
                        Prescription.STATUS,
                        switch (type) {
                            case CREATE, UPDATE -> STATUSES.contains(said) ? said : status;
                            case CANCEL -> Prescription.CANCELLED;
                            case LOCK -> Prescription.ON_HOLD;
                            case UNLOCK -> status.equals(Prescription.ON_HOLD) ? Prescription.ACTIVE : status;
                        })
                .put(Prescription.CREATED_AT, before == null ? at : before.number(Prescription.CREATED_AT))
                .put(Prescription.UPDATED_AT, at);
    }

    private List<View> find(Set<Key> keys) {
        return jdbc.sql(FIND)
                .param("tenants", texts(keys, Key::tenant))
                .param("ids", texts(keys, Key::id))
                .query(PrescriptionProjection::view)
                .list();
    }

    private static View view(ResultSet row, int n) throws SQLException {
        return new View(
                new Key(row.getString("tenant"), row.getString("prescription_id")),
                (ObjectNode) Json.readObject(row.getString("prescription").getBytes(StandardCharsets.UTF_8)),
                row.getInt("partition"),
                row.getLong("last_offset"));
    }

    private int write(String statement, Collection<View> views) {
        if (views.isEmpty()) {
            return 0;
        }
        return jdbc.sql(statement)
                .param("tenants", texts(views, view -> view.key().tenant()))
                .param("ids", texts(views, view -> view.key().id()))
                .param("patients", texts(views, view -> view.text("patientId")))
                .param("prescribers", texts(views, view -> view.text("prescriberId")))
                .param("statuses", texts(views, view -> view.text(Prescription.STATUS)))
                .param("versions", longs(views, view -> view.number(Prescription.VERSION)))
                .param("created", longs(views, view -> view.number(Prescription.CREATED_AT)))
                .param(
                        "prescriptions",
                        texts(views, view -> new String(Json.write(view.prescription()), StandardCharsets.UTF_8)))
                .param(
                        "partitions",
                        new SqlArrayValue(
                                "int", views.stream().map(View::partition).toArray()))
                .param("offsets", longs(views, View::offset))
                .update();
    }
}
