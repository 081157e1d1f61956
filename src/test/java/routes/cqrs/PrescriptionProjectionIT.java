package routes.cqrs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.Json;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;
import routes.platform.projection.OwnSchema;
import routes.platform.projection.PositionedEvent;

/** Compares the view with the fold of random logs, in its own schema of the real database. */
class PrescriptionProjectionIT {

    private static final int PARTITIONS = 3;

    private static OwnSchema schema;
    private static JdbcClient jdbc;
    private static TransactionTemplate transactions;
    private static PrescriptionProjection projection;

    @BeforeAll
    static void createSchema() {
        schema = new OwnSchema();
        jdbc = schema.jdbc;
        transactions = schema.transactions;
        projection = new PrescriptionProjection(jdbc, transactions);
    }

    @AfterAll
    static void dropSchema() {
        schema.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void keepsTheHighestVersionInAnyOrderOfBatches(long seed) {
        Random random = new Random(seed);
        List<List<PositionedEvent>> log = log("v" + seed, random);
        List<Integer> next = new ArrayList<>(List.of(0, 0, 0));
        for (int i = 0; i < 200; i++) {
            int partition = random.nextInt(PARTITIONS);
            int size = log.get(partition).size();
            // redelivers some records, as after a kill
            int from = random.nextInt(5) == 0 ? random.nextInt(next.get(partition) + 1) : next.get(partition);
            int to = i < 150 ? Math.min(size, from + 1 + random.nextInt(12)) : size;
            if (from < to) {
                apply(log.get(partition).subList(from, to));
                next.set(partition, to);
            }
        }
        for (int partition = 0; partition < PARTITIONS; partition++) {
            apply(log.get(partition)
                    .subList(next.get(partition) / 2, log.get(partition).size()));
        }

        assertIsTheFoldOf(log, "v" + seed);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void keepsTheHighestVersionWhenTwoMembersShareAPartition(long seed) throws Exception {
        Random random = new Random(-seed);
        List<List<PositionedEvent>> log = log("m" + seed, random);
        ExecutorService members = Executors.newFixedThreadPool(2 * PARTITIONS);
        List<Future<?>> running = new ArrayList<>();
        for (List<PositionedEvent> records : log) {
            for (int member = 0; member < 2; member++) {
                int batch = 1 + random.nextInt(9);
                running.add(members.submit(() -> {
                    for (int from = 0; from < records.size(); from += batch) {
                        apply(records.subList(from, Math.min(records.size(), from + batch)));
                    }
                }));
            }
        }
        for (Future<?> member : running) {
            member.get();
        }
        members.shutdown();

        assertIsTheFoldOf(log, "m" + seed);
    }

    @Test
    void ignoresEventsWithoutAVersion() {
        apply(List.of(
                version("o", 0, 0, 1),
                event("o", 0, 1, "PrescriptionUpdated", """
                {"status":"lost"}""")));
        apply(List.of(
                event("nobody", 0, 2, "PrescriptionUnlocked", """
                {"id":"nobody","sagaId":"s"}""")));

        assertThat(views("o").get("o")).startsWith("active 1 ");
        assertThat(views("nobody")).isEmpty();
    }

    @Test
    void leavesFilterColumnsEmptyForUnsearchableText() {
        apply(List.of(event(
                "wild",
                0,
                0,
                "PrescriptionCreated",
                """
                {"version":1,"status":"active","patientId":"a\\u0000b","prescriberId":"%s","note":"\\u0000"}"""
                        .formatted("x".repeat(5000)))));

        assertThat(jdbc.sql("select count(*) from prescription_view where patient_id is null and prescriber_id is null")
                        .query(Integer.class)
                        .single())
                .isEqualTo(1);
    }

    /** Makes versions in the order of one partition, with duplicates and reprocessed older records. */
    private static List<List<PositionedEvent>> log(String prefix, Random random) {
        List<List<PositionedEvent>> log = new ArrayList<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            List<PositionedEvent> records = new ArrayList<>();
            long[] versions = new long[4];
            for (int offset = 0; offset < 60; offset++) {
                int rx = random.nextInt(versions.length);
                boolean old = versions[rx] > 1 && random.nextInt(5) == 0;
                long version = old ? 1 + random.nextInt((int) versions[rx]) : ++versions[rx];
                records.add(version(prefix + "-" + partition + "-" + rx, partition, offset, version));
            }
            log.add(records);
        }
        return log;
    }

    private static void assertIsTheFoldOf(List<List<PositionedEvent>> log, String prefix) {
        Map<String, String> fold = new TreeMap<>();
        Map<String, Long> highest = new TreeMap<>();
        log.forEach(partition -> partition.forEach(record -> {
            JsonNode payload = ((JsonNode) record.event().payload()).path("payload");
            if (payload.path("version").asLong() > highest.getOrDefault(record.key(), 0L)) {
                highest.put(record.key(), payload.path("version").asLong());
                fold.put(record.key(), "active 1 " + payload);
            }
        }));
        assertThat(views(prefix + "-")).isEqualTo(fold);
    }

    private static Map<String, String> views(String prefix) {
        Map<String, String> views = new TreeMap<>();
        jdbc.sql(
                        """
                        select prescription_id, concat_ws(' ', status, created_at, prescription)
                        from prescription_view where starts_with(prescription_id, ?)""")
                .param(prefix)
                .query(row -> {
                    views.put(row.getString(1), row.getString(2));
                });
        return views;
    }

    private static PositionedEvent version(String id, int partition, long offset, long version) {
        return event(
                id,
                partition,
                offset,
                "PrescriptionUpdated",
                """
                {"id":"%s","status":"active","version":%d,"createdAt":1,"updatedAt":%d}"""
                        .formatted(id, version, version));
    }

    private static PositionedEvent event(String id, int partition, long offset, String type, String payload) {
        ObjectNode value = (ObjectNode) Json.readObject("{}".getBytes(StandardCharsets.UTF_8));
        value.set("payload", Json.readObject(payload.getBytes(StandardCharsets.UTF_8)));
        String event = UUID.randomUUID().toString();
        return new PositionedEvent(
                id,
                new Event<>(
                        "medication.events",
                        new EventMetadata(event, type, 100 + offset, event, null, "default"),
                        value),
                partition,
                offset,
                false);
    }

    private static void apply(List<PositionedEvent> batch) {
        transactions.executeWithoutResult(status -> projection.apply(batch));
    }
}
