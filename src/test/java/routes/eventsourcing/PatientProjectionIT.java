package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.dao.PessimisticLockingFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.event.EventMetadata;
import routes.platform.projection.OwnSchema;
import routes.platform.projection.PositionedEvent;

/**
 * Compares the view with the fold of random logs, in its own schema of the real database. The fold of this test follows
 * the rule of ADR 14, not the production code.
 */
class PatientProjectionIT {

    private static final String TOPIC = "patient.events";
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int PARTITIONS = 3;
    private static final List<String> TYPES = List.of(
            "patient.profile.created",
            "patient.profile.updated",
            "patient.address.updated",
            "patient.contact.updated",
            "patient.merged",
            "patient.deceased",
            "patient.nickname.given");
    private static final List<String> FIELDS =
            List.of("firstName", "city", "phone", "mergedInto", "deceasedAt", "reason");

    private static OwnSchema schema;
    private static JdbcClient jdbc;
    private static TransactionTemplate transactions;
    private static PatientProjection projection;

    @BeforeAll
    static void createSchema() {
        schema = new OwnSchema();
        jdbc = schema.jdbc;
        transactions = schema.transactions;
        PatientJson json = new PatientJson(MAPPER);
        projection = new PatientProjection(
                new PatientEventStore(schema.database, jdbc, json),
                new PatientViewStore(jdbc, json),
                jdbc,
                transactions);
    }

    @AfterAll
    static void dropSchema() {
        schema.close();
    }

    /** The columns of a row of patient_view. */
    record View(JsonNode view, int partition, long lastOffset) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void foldsTheLogInAnyOrderOfBatches(long seed) {
        Random random = new Random(seed);
        Map<Integer, List<PositionedEvent>> log = log("ordered-" + seed, random);

        Map<Integer, List<PositionedEvent>> delivered = new LinkedHashMap<>();
        for (List<PositionedEvent> batch : deliveries(log, random)) {
            apply(batch);
            delivered
                    .computeIfAbsent(batch.get(0).partition(), partition -> new ArrayList<>())
                    .addAll(batch);

            assertIsTheFoldOf(delivered, "ordered-" + seed);
        }
        assertIsTheFoldOf(log, "ordered-" + seed);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void foldsTheLogWhenTwoMembersShareAPartition(long seed) throws Exception {
        Random random = new Random(-seed);
        Map<Integer, List<PositionedEvent>> log = log("at-once-" + seed, random);
        ExecutorService members = Executors.newFixedThreadPool(2 * PARTITIONS);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (List<PositionedEvent> records : log.values()) {
                for (int member = 0; member < 2; member++) {
                    List<List<PositionedEvent>> batches = batches(records, random);
                    running.add(members.submit(() -> batches.forEach(PatientProjectionIT::applyUntilDone)));
                }
            }
            for (Future<?> member : running) {
                member.get();
            }
        } finally {
            members.shutdownNow();
        }

        assertIsTheFoldOf(log, "at-once-" + seed);
    }

    @Test
    void readsNoHistoryForEventsInOrder() {
        String patient = "appended";
        List<PositionedEvent> log = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            // a clock that goes backwards does not change the order of the log
            log.add(event(patient, 0, i, 1000 - i, TYPES.get(1), Map.of("firstName", "n" + i), false));
        }
        apply(log.subList(0, 3));
        // a marker that survives only when the projection does not fold the history
        jdbc.sql("update patient_event set data = '{}' where patient_id = ?")
                .param(patient)
                .update();
        jdbc.sql("""
                update patient_view set view = '{"city":"kept"}' where patient_id = ?""")
                .param(patient)
                .update();

        apply(log.subList(3, 6));

        assertThat(views(patient).get(patient))
                .isEqualTo(new View(json("""
                        {"city":"kept","firstName":"n5"}"""), 0, 5));
    }

    @Test
    void sortsAReprocessedDeadLetterByItsTimestamp() {
        String patient = "reprocessed";
        PositionedEvent created = event(patient, 0, 0, 100, TYPES.get(0), Map.of("firstName", "first"), false);
        PositionedEvent married = event(patient, 0, 2, 300, TYPES.get(1), Map.of("firstName", "third"), false);
        PositionedEvent late =
                event(patient, 0, 3, 200, TYPES.get(1), Map.of("firstName", "second", "phone", "new"), true);

        apply(List.of(created));
        apply(List.of(married));
        apply(List.of(late));

        assertThat(views(patient).get(patient).view())
                .isEqualTo(json("""
                        {"firstName":"third","phone":"new","createdAt":100}"""));
    }

    @Test
    void keepsTenantsApart() {
        PositionedEvent here = event("shared", 0, 0, 1, TYPES.get(0), Map.of("firstName", "here"), false);
        PositionedEvent there = event("shared", 0, 1, 1, TYPES.get(0), Map.of("firstName", "there"), false);
        EventMetadata metadata = there.event().metadata();
        PositionedEvent other = new PositionedEvent(
                there.key(),
                Samples.event(
                        TOPIC,
                        new EventMetadata(
                                metadata.eventId(),
                                metadata.eventType(),
                                metadata.timestamp(),
                                metadata.correlationId(),
                                null,
                                "other"),
                        Map.of("firstName", "there")),
                0,
                1,
                false);

        apply(List.of(here, other));

        assertThat(jdbc.sql(
                                "select tenant || ' ' || (view ->> 'firstName') from patient_view where patient_id = 'shared' order by 1")
                        .query(String.class)
                        .list())
                .containsExactly("default here", "other there");
    }

    private static void apply(List<PositionedEvent> batch) {
        transactions.executeWithoutResult(status -> projection.apply(batch));
    }

    /** Retries after a database conflict, as the consumer does. */
    private static void applyUntilDone(List<PositionedEvent> batch) {
        while (true) {
            try {
                apply(batch);
                return;
            } catch (PessimisticLockingFailureException e) {
                throw new AssertionError("two members wait for each other", e);
            }
        }
    }

    /** Makes a log of patients, each mostly on one partition, with duplicates, reprocessed events and reused ids. */
    private static Map<Integer, List<PositionedEvent>> log(String prefix, Random random) {
        Map<Integer, List<PositionedEvent>> log = new LinkedHashMap<>();
        List<PositionedEvent> all = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            log.put(partition, new ArrayList<>());
        }
        long offset = 0;
        for (int i = 0; i < 120; i++) {
            int patient = random.nextInt(6);
            int partition = random.nextInt(10) < 7 ? patient % PARTITIONS : random.nextInt(PARTITIONS);
            // gaps in a partition stand for poison
            offset += 1 + random.nextInt(2);
            PositionedEvent event = event(
                    prefix + "-" + patient,
                    partition,
                    offset,
                    1000 + i / 3 + random.nextInt(20) - 10,
                    TYPES.get(random.nextInt(TYPES.size())),
                    fields(random),
                    random.nextInt(12) == 0);
            if (!all.isEmpty() && random.nextInt(8) == 0) {
                PositionedEvent before = all.get(random.nextInt(all.size()));
                event = new PositionedEvent(
                        before.key(), before.event(), partition, offset, random.nextBoolean() && before.reprocessed());
            } else if (!all.isEmpty() && random.nextInt(20) == 0) {
                // the id of another event: the order of arrival must not decide which one counts
                event = withIdOf(all.get(random.nextInt(all.size())), event);
            }
            all.add(event);
            log.get(partition).add(event);
        }
        return log;
    }

    private static PositionedEvent withIdOf(PositionedEvent other, PositionedEvent event) {
        EventMetadata metadata = event.event().metadata();
        return new PositionedEvent(
                other.key(),
                Samples.event(
                        TOPIC,
                        new EventMetadata(
                                other.event().metadata().eventId(),
                                metadata.eventType(),
                                metadata.timestamp(),
                                metadata.correlationId(),
                                metadata.causationId(),
                                metadata.tenant()),
                        PatientPayload.fields(event)),
                event.partition(),
                event.offset(),
                event.reprocessed());
    }

    private static Map<String, String> fields(Random random) {
        Map<String, String> fields = new HashMap<>();
        for (String field : FIELDS) {
            if (random.nextInt(3) == 0) {
                fields.put(field, "value-" + random.nextInt(1000) + " é\"\\{}");
            }
        }
        return fields;
    }

    private static PositionedEvent event(
            String patient,
            int partition,
            long offset,
            long timestamp,
            String type,
            Map<String, String> fields,
            boolean reprocessed) {
        String id = UUID.randomUUID().toString();
        return new PositionedEvent(
                patient,
                Samples.event(TOPIC, new EventMetadata(id, type, timestamp, id, null, "default"), fields),
                partition,
                offset,
                reprocessed);
    }

    /** Delivers each partition in its order, mixes the partitions, and redelivers some parts. */
    private static List<List<PositionedEvent>> deliveries(Map<Integer, List<PositionedEvent>> log, Random random) {
        Map<Integer, List<List<PositionedEvent>>> left = new LinkedHashMap<>();
        log.forEach((partition, records) -> left.put(partition, new ArrayList<>(batches(records, random))));
        List<List<PositionedEvent>> deliveries = new ArrayList<>();
        while (left.values().stream().anyMatch(batches -> !batches.isEmpty())) {
            List<List<PositionedEvent>> batches = left.get(random.nextInt(PARTITIONS));
            if (!batches.isEmpty()) {
                deliveries.add(batches.remove(0));
            }
            if (!deliveries.isEmpty() && random.nextInt(4) == 0) {
                deliveries.add(deliveries.get(random.nextInt(deliveries.size())));
            }
        }
        return deliveries;
    }

    private static List<List<PositionedEvent>> batches(List<PositionedEvent> records, Random random) {
        List<List<PositionedEvent>> batches = new ArrayList<>();
        for (int from = 0; from < records.size(); ) {
            int to = Math.min(records.size(), from + 1 + random.nextInt(20));
            batches.add(records.subList(from, to));
            // the next batch may overlap with this one, as after a crash
            from = random.nextInt(4) == 0 && to < records.size() ? Math.max(from + 1, to - random.nextInt(5)) : to;
        }
        return batches;
    }

    private static void assertIsTheFoldOf(Map<Integer, List<PositionedEvent>> log, String prefix) {
        Map<String, List<PositionedEvent>> counting = counting(log);
        Map<String, View> expected = new TreeMap<>();
        counting.forEach((patient, events) -> expected.put(patient, fold(events)));

        assertThat(views(prefix)).isEqualTo(expected);
        assertThat(jdbc.sql(
                                "select event_id || ' ' || partition || ' ' || \"offset\" from patient_event where patient_id like ?")
                        .param(prefix + "-%")
                        .query(String.class)
                        .list())
                .containsExactlyInAnyOrderElementsOf(counting.values().stream()
                        .flatMap(List::stream)
                        .map(e -> e.event().metadata().eventId() + " " + e.partition() + " " + e.offset())
                        .toList());
    }

    /** Returns the lowest record of each event, by patient. */
    private static Map<String, List<PositionedEvent>> counting(Map<Integer, List<PositionedEvent>> log) {
        Map<String, PositionedEvent> byId = new LinkedHashMap<>();
        log.values().stream()
                .flatMap(List::stream)
                .sorted(Comparator.comparingInt(PositionedEvent::partition).thenComparingLong(PositionedEvent::offset))
                .forEach(event ->
                        byId.putIfAbsent(event.key() + event.event().metadata().eventId(), event));
        Map<String, List<PositionedEvent>> byPatient = new TreeMap<>();
        byId.values().forEach(event -> byPatient
                .computeIfAbsent(event.key(), patient -> new ArrayList<>())
                .add(event));
        return byPatient;
    }

    private static View fold(List<PositionedEvent> events) {
        Map<PositionedEvent, Long> places = new HashMap<>();
        for (PositionedEvent event : events) {
            long time = event.event().metadata().timestamp();
            places.put(
                    event,
                    event.reprocessed()
                            ? time
                            : events.stream()
                                    .filter(e -> e.partition() == event.partition() && e.offset() <= event.offset())
                                    .mapToLong(e -> e.event().metadata().timestamp())
                                    .max()
                                    .orElseThrow());
        }
        List<PositionedEvent> order = new ArrayList<>(events);
        Collections.shuffle(order);
        order.sort(Comparator.comparingLong((PositionedEvent e) -> places.get(e))
                .thenComparingInt(PositionedEvent::partition)
                .thenComparingLong(PositionedEvent::offset));
        Map<String, Object> view = new TreeMap<>();
        for (PositionedEvent event : order) {
            EventMetadata metadata = event.event().metadata();
            if (!metadata.eventType().equals("patient.nickname.given")) {
                for (String field : FIELDS) {
                    String value = PatientPayload.fields(event).get(field);
                    if (value != null && !field.equals("reason")) {
                        view.put(field, value);
                    }
                }
                switch (metadata.eventType()) {
                    case "patient.profile.created" -> view.put("createdAt", metadata.timestamp());
                    case "patient.address.updated" -> view.put("addressUpdatedAt", metadata.timestamp());
                    default -> {}
                }
            }
        }
        PositionedEvent last = order.get(order.size() - 1);
        return new View(
                json(MAPPER.valueToTree(view).toString()),
                last.partition(),
                events.stream()
                        .filter(e -> e.partition() == last.partition())
                        .mapToLong(PositionedEvent::offset)
                        .max()
                        .orElseThrow());
    }

    private static Map<String, View> views(String prefix) {
        Map<String, View> views = new TreeMap<>();
        jdbc.sql("select * from patient_view where patient_id like ?")
                .param(prefix + "%")
                .query(row -> {
                    views.put(
                            row.getString("patient_id"),
                            new View(json(row.getString("view")), row.getInt("partition"), row.getLong("last_offset")));
                });
        return views;
    }

    private static JsonNode json(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }
}
