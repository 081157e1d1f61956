package routes.eventsourcing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.database.SqlArrays;
import routes.platform.projection.PositionedEvent;

/** Stores the current state of patients in {@code patient_view}. */
@Component
class PatientViewStore {

    /** Locks every patient's row, even those that it does not change, in the order of the arrays. */
    private static final String APPEND =
            """
            insert into patient_view as known (tenant, patient_id, view, partition, last_offset)
            select tenant, patient_id, view::jsonb, :partition, last_offset
            from unnest(:tenants, :patients, :views, :offsets) as v(tenant, patient_id, view, last_offset)
            on conflict (tenant, patient_id) do update
            set view = known.view || excluded.view, last_offset = excluded.last_offset
            where known.partition = excluded.partition and known.last_offset < excluded.last_offset
            returning tenant, patient_id""";

    private static final String REPLACE =
            """
            update patient_view known set view = v.view::jsonb, partition = v.partition, last_offset = v.last_offset
            from unnest(:tenants, :patients, :views, :partitions, :offsets) as v(tenant, patient_id, view, partition, last_offset)
            where known.tenant = v.tenant and known.patient_id = v.patient_id""";

    private final JdbcClient jdbc;
    private final PatientJson json;

    PatientViewStore(JdbcClient jdbc, PatientJson json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /**
     * Applies events of one partition to the stored views. Adds the views of new patients.
     *
     * @return the patients whose view has an event at or behind the new ones, or of another partition
     */
    Set<PatientKey> append(int partition, SortedMap<PatientKey, List<PositionedEvent>> events) {
        List<String> views = new ArrayList<>();
        List<Long> offsets = new ArrayList<>();
        events.values().forEach(ofPatient -> {
            ofPatient.sort(Comparator.comparingLong(PositionedEvent::offset));
            PatientState state = new PatientState();
            ofPatient.forEach(event -> state.apply(
                    event.event().metadata().eventType(),
                    event.event().metadata().timestamp(),
                    PatientPayload.fields(event)));
            views.add(json.write(state.fields()));
            offsets.add(ofPatient.get(ofPatient.size() - 1).offset());
        });
        Set<PatientKey> outOfOrder = new HashSet<>(events.keySet());
        jdbc.sql(APPEND)
                .param("partition", partition)
                .param("tenants", SqlArrays.texts(events.keySet(), PatientKey::tenant))
                .param("patients", SqlArrays.texts(events.keySet(), PatientKey::id))
                .param("views", SqlArrays.texts(views, view -> view))
                .param("offsets", SqlArrays.longs(offsets, offset -> offset))
                .query(row -> {
                    outOfOrder.remove(new PatientKey(row.getString("tenant"), row.getString("patient_id")));
                });
        return outOfOrder;
    }

    /** Replaces the views of patients whose rows {@link #append} has locked in this transaction. */
    void replace(Map<PatientKey, PatientHistory> histories) {
        jdbc.sql(REPLACE)
                .param("tenants", SqlArrays.texts(histories.keySet(), PatientKey::tenant))
                .param("patients", SqlArrays.texts(histories.keySet(), PatientKey::id))
                .param("views", SqlArrays.texts(histories.values(), history -> json.write(history.fields())))
                .param("partitions", SqlArrays.of("int", histories.values(), PatientHistory::partition))
                .param("offsets", SqlArrays.longs(histories.values(), PatientHistory::lastOffset))
                .update();
    }
}
