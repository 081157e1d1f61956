package routes.eventsourcing;

import eventbroker.patient.PatientEventPayload;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import routes.platform.projection.PositionedEvent;

/** Reads the fields of a patient event's payload that are not null. */
final class PatientPayload {

    private static final List<Schema.Field> FIELDS =
            PatientEventPayload.getClassSchema().getFields();

    private PatientPayload() {}

    static Map<String, String> fields(PositionedEvent event) {
        PatientEventPayload payload = (PatientEventPayload) event.event().payload();
        Map<String, String> fields = new LinkedHashMap<>();
        for (Schema.Field field : FIELDS) {
            if (payload.get(field.pos()) instanceof String text) {
                fields.put(field.name(), text);
            }
        }
        return fields;
    }
}
