package routes.cqrs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.Json;
import routes.platform.projection.PositionedEvent;
import routes.platform.projection.Projection;

/**
 * The projection {@code prescription-view}: what is asked of prescriptions. Each event of the write side has the whole prescription and its version,
 * and the highest version stays, in whatever order events come. An event without a version is of nobody that the write side knows, or of a saga that has
 * unlocked what never was: it changes nothing.
 */
@Component("prescriptionProjection")
class PrescriptionProjection extends Projection {

    /** What an index that begins with a tenant takes beside a prescription id: longer texts cannot be asked for. */
    private static final int MAX_BYTES = 512;

    private static final String KEEP_HIGHEST =
            """
            insert into prescription_view as known (tenant, prescription_id, patient_id, prescriber_id, status, version, created_at,
                                                    prescription)
            select * from unnest(:tenants, :ids, :patients, :prescribers, :statuses, :versions, :created, :prescriptions)
            on conflict (tenant, prescription_id) do update
            set patient_id = excluded.patient_id, prescriber_id = excluded.prescriber_id, status = excluded.status,
                version = excluded.version, created_at = excluded.created_at, prescription = excluded.prescription
            where known.version < excluded.version""";

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

    private record View(Key key, ObjectNode prescription) {

        static View of(PositionedEvent event) {
            JsonNode value = (JsonNode) event.event().payload();
            return new View(
                    new Key(event.event().metadata().tenant(), event.key()),
                    ((ObjectNode) value.path("payload")).deepCopy().without(Command.SAGA_ID));
        }

        private String text(String field) {
            String text = prescription.path(field).textValue();
            return text == null
                            || text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES
                            || text.chars().anyMatch(Character::isISOControl)
                    ? null
                    : text;
        }

        private long number(String field) {
            return prescription.path(field).longValue();
        }

        private View higher(View other) {
            return other.number(Prescription.VERSION) > number(Prescription.VERSION) ? other : this;
        }
    }

    @Override
    public void apply(List<PositionedEvent> events) {
        // in one order for everybody, or two transactions could wait for each other
        Map<Key, View> highest = new TreeMap<>(Key.ORDER);
        events.stream()
                .map(View::of)
                .filter(view -> view.prescription().has(Prescription.VERSION))
                .forEach(view -> highest.merge(view.key(), view, View::higher));
        Collection<View> views = highest.values();
        if (views.isEmpty()) {
            return;
        }
        jdbc.sql(KEEP_HIGHEST)
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
                .update();
    }
}
