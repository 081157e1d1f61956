package routes.eventsourcing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.projection.PositionedEvent;
import routes.platform.projection.Projection;

/**
 * Builds the read model {@code patient-view}: the history of every patient, and the view that folds it.
 *
 * <p>A patient's events sort by sort time, partition and offset. The sort time is the highest timestamp of the
 * patient's events in the same partition up to the event. A reprocessed event sorts by its own timestamp. Reasons:
 * {@code docs/adr/0014-projections-and-replay.md}.
 */
@Component("patientProjection")
class PatientProjection extends Projection {

    private final PatientEventStore events;
    private final PatientViewStore views;
    private final TransactionTemplate transactions;

    PatientProjection(
            PatientEventStore events, PatientViewStore views, JdbcClient jdbc, TransactionTemplate transactions) {
        super(
                "patient-view",
                "patient-view-builder",
                Set.of("patient.events"),
                List.of(
                        new Table("patient_event", List.of("patient_id", "tenant", "event_id")),
                        new Table("patient_view", List.of("patient_id", "tenant"))),
                jdbc,
                transactions);
        this.events = events;
        this.views = views;
        this.transactions = transactions;
    }

    @Override
    public void apply(List<PositionedEvent> batch) {
        // every transaction locks rows in this order, which avoids deadlocks
        SortedMap<PatientEventKey, PositionedEvent> first = new TreeMap<>();
        batch.forEach(event -> first.putIfAbsent(PatientEventKey.of(event), event));
        int partition = batch.get(0).partition();
        Map<PatientEventKey, Boolean> changed = events.upsert(partition, first);
        if (changed.isEmpty()) {
            return;
        }
        SortedMap<PatientKey, List<PositionedEvent>> byPatient = new TreeMap<>();
        Set<PatientKey> outOfOrder = new TreeSet<>();
        first.forEach((key, event) -> {
            Boolean isNew = changed.get(key);
            if (isNew != null) {
                byPatient
                        .computeIfAbsent(key.patient(), patient -> new ArrayList<>())
                        .add(event);
            }
            // a duplicate, an event that has moved to an earlier record, or one with a sort time of its own
            if (!Boolean.TRUE.equals(isNew) || event.reprocessed()) {
                outOfOrder.add(key.patient());
            }
        });
        outOfOrder.retainAll(byPatient.keySet());
        outOfOrder.addAll(views.append(partition, byPatient));
        if (!outOfOrder.isEmpty()) {
            views.replace(events.fold(outOfOrder, Long.MAX_VALUE));
        }
    }

    /**
     * Folds the events of a patient up to an instant.
     *
     * @param until epoch milliseconds
     * @return empty when the patient has no events up to then
     */
    Optional<Map<String, Object>> asOf(String tenant, String patient, long until) {
        return transactions.execute(
                status -> events.fold(Set.of(new PatientKey(tenant, patient)), until).values().stream()
                        .findFirst()
                        .map(PatientHistory::fields));
    }
}
