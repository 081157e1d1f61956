package bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Writes the history and view of patients by hand. One JDBC batch per poll merges the changes of a patient, or each
 * event has a transaction. It omits the projection's handling of duplicates and of events out of order.
 */
final class RawPatientView extends HandWrittenLoop {

    private static final int FRAME = 5;
    private static final List<Schema.Field> FIELDS =
            PatientEventPayload.getClassSchema().getFields();

    private final Map<String, String> servers;
    private final boolean rowByRow;
    private final JsonMapper mapper = new JsonMapper();
    private final SpecificDatumReader<PatientEvent> reader = new SpecificDatumReader<>(PatientEvent.class);
    private BinaryDecoder decoder;

    private RawPatientView(Map<String, String> servers, boolean rowByRow) {
        this.servers = servers;
        this.rowByRow = rowByRow;
    }

    /** @param args {@code batch} or {@code row-by-row}, then options of the runtime */
    public static void main(String[] args) throws IOException {
        String[] options = new String[args.length - 1];
        System.arraycopy(args, 1, options, 0, options.length);
        Side.serve(new RawPatientView(options(options), args[0].equals("row-by-row")));
    }

    private static final class View {

        private final Map<String, Object> changes = new LinkedHashMap<>();
        private int partition;
        private long offset;
    }

    @Override
    void run(String source, String table, String group) throws Exception {
        Map<String, Object> config = Map.of(
                "bootstrap.servers", servers.get("camel.component.kafka.brokers"),
                "group.id", group,
                "enable.auto.commit", "false",
                "auto.offset.reset", "earliest",
                "max.poll.records", "500");
        try (KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                Connection connection = DriverManager.getConnection(
                        servers.get("spring.datasource.url") + "&reWriteBatchedInserts=true",
                        servers.get("spring.datasource.username"),
                        servers.get("spring.datasource.password"));
                PreparedStatement events = connection.prepareStatement(
                        """
                        insert into patient_event (tenant, patient_id, event_id, event_type, event_timestamp, partition, "offset",
                                                   reprocessed, correlation_id, causation_id, data)
                        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb) on conflict do nothing""");
                PreparedStatement views = connection.prepareStatement(
                        """
                        insert into patient_view (tenant, patient_id, view, partition, last_offset) values (?, ?, ?::jsonb, ?, ?)
                        on conflict (tenant, patient_id) do update
                        set view = patient_view.view || excluded.view, last_offset = excluded.last_offset""")) {
            connection.setAutoCommit(false);
            consumer.subscribe(List.of(source));
            Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
            Map<String, View> changed = new LinkedHashMap<>();
            while (!stopping) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
                for (ConsumerRecord<byte[], byte[]> message : records) {
                    add(message, events, changed);
                    done.put(
                            new TopicPartition(message.topic(), message.partition()),
                            new OffsetAndMetadata(message.offset() + 1));
                    if (rowByRow) {
                        write(events, views, changed);
                        connection.commit();
                    }
                }
                if (!records.isEmpty()) {
                    if (!rowByRow) {
                        write(events, views, changed);
                        connection.commit();
                    }
                    consumer.commitAsync(Map.copyOf(done), null);
                }
            }
            consumer.commitSync(done);
        }
    }

    private void add(ConsumerRecord<byte[], byte[]> message, PreparedStatement events, Map<String, View> changed)
            throws IOException, SQLException {
        byte[] value = message.value();
        decoder = DecoderFactory.get().binaryDecoder(value, FRAME, value.length - FRAME, decoder);
        PatientEvent event = reader.read(null, decoder);
        String patient = new String(message.key(), StandardCharsets.UTF_8);
        Map<String, String> data = new LinkedHashMap<>();
        for (Schema.Field field : FIELDS) {
            if (event.getPayload().get(field.pos()) instanceof String text) {
                data.put(field.name(), text);
            }
        }
        long timestamp = event.getMetadata().getTimestamp().toEpochMilli();
        events.setString(1, event.getMetadata().getSecurity().getTenant());
        events.setString(2, patient);
        events.setObject(3, UUID.fromString(event.getMetadata().getEventId()));
        events.setString(4, event.getMetadata().getEventType());
        events.setLong(5, timestamp);
        events.setInt(6, message.partition());
        events.setLong(7, message.offset());
        events.setBoolean(8, false);
        events.setString(9, event.getMetadata().getCorrelationId());
        events.setString(10, event.getMetadata().getCausationId());
        events.setString(11, mapper.writeValueAsString(data));
        events.addBatch();
        View view = changed.computeIfAbsent(patient, p -> new View());
        view.changes.putAll(data);
        view.changes.remove("reason");
        if (event.getMetadata().getEventType().equals("patient.profile.created")) {
            view.changes.put("createdAt", timestamp);
        } else if (event.getMetadata().getEventType().equals("patient.address.updated")) {
            view.changes.put("addressUpdatedAt", timestamp);
        }
        view.partition = message.partition();
        view.offset = message.offset();
    }

    private void write(PreparedStatement events, PreparedStatement views, Map<String, View> changed)
            throws SQLException, IOException {
        for (Map.Entry<String, View> change : changed.entrySet()) {
            views.setString(1, "default");
            views.setString(2, change.getKey());
            views.setString(3, mapper.writeValueAsString(change.getValue().changes));
            views.setInt(4, change.getValue().partition);
            views.setLong(5, change.getValue().offset);
            views.addBatch();
        }
        events.executeBatch();
        views.executeBatch();
        changed.clear();
    }
}
