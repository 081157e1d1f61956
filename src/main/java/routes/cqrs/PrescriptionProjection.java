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
import routes.platform.PlainText;
import routes.platform.database.SqlArrays;
import routes.platform.projection.PositionedEvent;
import routes.platform.projection.Projection;

/**
 * Builds the read model {@code prescription-view}. Each event carries the whole prescription with its version; the
 * projection keeps the highest version, in any order of arrival. It ignores an event without a version: another service
 * wrote it, or a saga unlocked a prescription that does not exist.
 */
@Component("prescriptionProjection")
class PrescriptionProjection extends Projection {

    /** Longest text in a filter column: an index row also has tenant and prescription id. */
    private static final int MAX_FILTER_BYTES = 512;

    private static final String UPSERT_HIGHER_VERSIONS =
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

        private static View of(PositionedEvent event) {
            JsonNode value = (JsonNode) event.event().payload();
            return new View(
                    new Key(event.event().metadata().tenant(), event.key()),
                    ((ObjectNode) value.path("payload")).deepCopy().without(Command.SAGA_ID));
        }

        /** Returns null for a text that no filter can match: too long, or with control characters. */
        private String filterText(String field) {
            String text = prescription.path(field).textValue();
            return text == null
                            || text.getBytes(StandardCharsets.UTF_8).length > MAX_FILTER_BYTES
                            || PlainText.hasControlCharacters(text)
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
        // every transaction locks rows in this order, which avoids deadlocks
        Map<Key, View> highest = new TreeMap<>(Key.ORDER);
        events.stream()
                .map(View::of)
                .filter(view -> view.prescription().has(Prescription.VERSION))
                .forEach(view -> highest.merge(view.key(), view, View::higher));
        Collection<View> views = highest.values();
        if (views.isEmpty()) {
            return;
        }
        jdbc.sql(UPSERT_HIGHER_VERSIONS)
                .param("tenants", SqlArrays.texts(views, view -> view.key().tenant()))
                .param("ids", SqlArrays.texts(views, view -> view.key().id()))
                .param("patients", SqlArrays.texts(views, view -> view.filterText("patientId")))
                .param("prescribers", SqlArrays.texts(views, view -> view.filterText("prescriberId")))
                .param("statuses", SqlArrays.texts(views, view -> view.filterText(Prescription.STATUS)))
                .param("versions", SqlArrays.longs(views, view -> view.number(Prescription.VERSION)))
                .param("created", SqlArrays.longs(views, view -> view.number(Prescription.CREATED_AT)))
                .param(
                        "prescriptions",
                        SqlArrays.texts(
                                views, view -> new String(Json.write(view.prescription()), StandardCharsets.UTF_8)))
                .update();
    }
}
