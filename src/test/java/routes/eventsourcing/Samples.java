package routes.eventsourcing;

import eventbroker.patient.Metadata;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import eventbroker.patient.Security;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;

/** Patient events for tests. */
final class Samples {

    private Samples() {}

    static PatientEventPayload payload(Map<String, String> fields) {
        PatientEventPayload payload = new PatientEventPayload();
        fields.forEach(payload::put);
        return payload;
    }

    static Event<PatientEventPayload> event(String topic, EventMetadata metadata, Map<String, String> fields) {
        return new Event<>(topic, metadata, payload(fields));
    }

    static PatientEvent record(UUID id, String type, long timestamp, String tenant, Map<String, String> fields) {
        return PatientEvent.newBuilder()
                .setMetadata(Metadata.newBuilder()
                        .setEventId(id.toString())
                        .setEventType(type)
                        .setEventSource("patient-service")
                        .setTimestamp(Instant.ofEpochMilli(timestamp))
                        .setSecurity(Security.newBuilder()
                                .setPrincipal("test")
                                .setTenant(tenant)
                                .build())
                        .build())
                .setPayload(payload(fields))
                .build();
    }
}
