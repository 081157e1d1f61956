package routes.platform.projection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.DefaultMessage;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.transaction.support.TransactionTemplate;
import routes.RuntimeIT;
import routes.platform.event.EventReader;
import sandbox.Topics;

/**
 * The replay of a projection that is not a pattern's: what it needs from any, and what it does when something is wrong.
 */
@Import(RebuildIT.Configuration.class)
@DirtiesContext
class RebuildIT extends RuntimeIT {

    private static final String TOPIC = "rebuild-it-" + UUID.randomUUID();
    private static final String STATUS = "/api/projections/rebuild-it";
    private static final int PARTITIONS = 2;
    private static final int RECORDS = 5000;

    @Autowired
    private Records projection;

    @Autowired
    private EventReader events;

    @Autowired
    private CamelContext camel;

    @Autowired
    private Admin admin;

    @Autowired
    private TransactionTemplate transactions;

    @TestConfiguration
    static class Configuration {

        @Bean
        Records records(JdbcClient jdbc, TransactionTemplate transactions) {
            return new Records(jdbc, transactions);
        }
    }

    /** A row per record. */
    static class Records extends Projection {

        private final JdbcClient jdbc;
        final AtomicInteger failures = new AtomicInteger();
        volatile RuntimeException failure;

        Records(JdbcClient jdbc, TransactionTemplate transactions) {
            super(
                    "rebuild-it",
                    "rebuild-it",
                    Set.of(TOPIC),
                    List.of(new Table("rebuild_it", List.of("id", "tenant", "partition", "\"offset\""))),
                    jdbc,
                    transactions);
            this.jdbc = jdbc;
        }

        @Override
        public void apply(List<PositionedEvent> batch) {
            if (failures.get() > 0 && failures.getAndDecrement() > 0) {
                throw failure;
            }
            batch.forEach(event -> jdbc.sql("insert into rebuild_it values (?, ?, ?, ?) on conflict do nothing")
                    .params(event.event().metadata().tenant(), event.key(), event.partition(), event.offset())
                    .update());
        }
    }

    @BeforeEach
    void fillTheView() throws Exception {
        jdbc.sql(
                        """
                        create table rebuild_it (tenant text, id text, partition int, "offset" bigint,
                                                 primary key (id, tenant, partition, "offset"))""")
                .update();
        Topics.create(admin, PARTITIONS, TOPIC);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers(), "linger.ms", 5),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                String value = i % 100 == 99
                        ? "poison"
                        : """
                                {"eventId":"%s","eventType":"t","timestamp":%d}"""
                                .formatted(UUID.randomUUID(), i);
                producer.send(new ProducerRecord<>(TOPIC, i % PARTITIONS, bytes("k" + i % 50), bytes(value)));
            }
        }
        project(records(TOPIC));
    }

    @AfterEach
    void dropTheView() throws Exception {
        projection.failures.set(0);
        await().until(() -> !status().path("state").asText().equals("REBUILDING"));
        jdbc.sql("drop table rebuild_it cascade").update();
        jdbc.sql("delete from projection_position where projection = 'rebuild-it'")
                .update();
        admin.deleteTopics(List.of(TOPIC)).all().get();
        await().ignoreExceptions().until(() -> !admin.listTopics().names().get().contains(TOPIC));
    }

    @Test
    void rebuildsAnyProjection() {
        jdbc.sql("delete from rebuild_it where id in ('k1', 'k2')").update();

        JsonNode status = rebuild("");

        assertThat(status.path("state").asText()).isEqualTo("LIVE");
        assertThat(texts(status.path("differingIds"))).containsExactly("k1", "k2");
        assertThat(status.path("differences").asInt()).isEqualTo(2);
        assertThat(status.path("eventsDone").asInt()).isEqualTo(RECORDS);
        assertThat(status.path("eventsTotal").asInt()).isEqualTo(RECORDS);
        assertThat(status.path("poisonSkipped").asInt()).isEqualTo(RECORDS / 100);
        assertThat(status.path("rate").asDouble()).isPositive();
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100);
        assertThat(jdbc.sql("select indexname from pg_indexes where tablename = 'rebuild_it' and schemaname = 'public'")
                        .query(String.class)
                        .list())
                .containsExactly("rebuild_it_pkey");
        assertThat(rebuild("?dryRun=true").path("differences").asInt()).isZero();
    }

    @Test
    void readsNothingBeyondWhatTheViewHas() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers()), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(
                            new ProducerRecord<>(
                                    TOPIC,
                                    0,
                                    bytes("ahead"),
                                    bytes(
                                            """
                                    {"eventId":"x","eventType":"t","timestamp":1}""")))
                    .get();
        }

        JsonNode status = rebuild("");

        assertThat(status.path("differences").asInt()).isZero();
        assertThat(status.path("eventsDone").asInt()).isEqualTo(RECORDS);
        assertThat(status.path("lag").asInt()).isEqualTo(1);
    }

    @Test
    void reachesTheEndOfALogWithTransactions() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional()) {
            transact(producer, 10).run();
            transact(producer, 20);
            producer.abortTransaction();
            transact(producer, 30).run();
            transact(producer, 40);
            producer.abortTransaction();
        }
        List<ConsumerRecord<byte[], byte[]>> committed = behind(records(TOPIC), RECORDS / PARTITIONS);
        assertThat(committed).hasSize(40);
        projectAll(committed);
        assertThat(status().path("lag").asInt()).as("the marks of transactions").isPositive();
        commitEverything();

        JsonNode status = rebuild("?dryRun=true");

        assertThat(status.path("state").asText()).isEqualTo("LIVE");
        assertThat(status.path("differences").asInt()).isZero();
        assertThat(status.path("eventsDone").asLong())
                .isEqualTo(status.path("eventsTotal").asLong());
        assertThat(status.path("lag").asInt()).isZero();
        assertThat(rebuild("").path("differences").asInt()).isZero();
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100 + 40);
    }

    @Test
    void readsNothingOfAnOpenTransaction() throws Exception {
        commitEverything();
        try (KafkaProducer<byte[], byte[]> producer = transactional()) {
            Runnable commit = transact(producer, 10);
            producer.flush();

            assertThat(status().path("lag").asInt()).isZero();
            JsonNode status = rebuild("");
            assertThat(status.path("differences").asInt()).isZero();
            assertThat(status.path("eventsDone").asInt()).isEqualTo(RECORDS);

            commit.run();
        }
        await().untilAsserted(() ->
                assertThat(status().path("lag").asInt()).as("and a mark").isEqualTo(11));
        projectAll(behind(records(TOPIC), RECORDS / PARTITIONS));
        assertThat(rebuild("").path("differences").asInt()).isZero();
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100 + 10);
    }

    @Test
    void waitsForATransactionThatAnOlderReleaseHasReadInto() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional()) {
            Runnable commit = transact(producer, 10);
            producer.flush();
            int end = RECORDS / PARTITIONS + 10;
            jdbc.sql("update projection_position set next_offset = ? where projection = 'rebuild-it' and partition = 0")
                    .param(end)
                    .update();
            post(STATUS + "/rebuild?dryRun=true", "application/json", "");
            await().during(Duration.ofSeconds(2))
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> status().path("state").asText().equals("REBUILDING"));

            commit.run();
        }
        assertThat(awaitEnd().path("failure").isNull()).isTrue();
    }

    private KafkaProducer<byte[], byte[]> transactional() {
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers(), "transactional.id", TOPIC),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();
        return producer;
    }

    /** Begins one, in partition 0; what it returns commits it. */
    private static Runnable transact(KafkaProducer<byte[], byte[]> producer, int records) {
        producer.beginTransaction();
        for (int i = 0; i < records; i++) {
            String value = """
                    {"eventId":"%s","eventType":"t","timestamp":1}"""
                    .formatted(UUID.randomUUID());
            producer.send(new ProducerRecord<>(TOPIC, 0, bytes("transaction"), bytes(value)));
        }
        return producer::commitTransaction;
    }

    private static List<ConsumerRecord<byte[], byte[]>> behind(
            List<ConsumerRecord<byte[], byte[]>> records, long offset) {
        return records.stream().filter(record -> record.offset() >= offset).toList();
    }

    /** As the consumer of a route commits: behind everything that it has passed. */
    private void commitEverything() throws Exception {
        Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            partitions.put(new TopicPartition(TOPIC, partition), OffsetSpec.latest());
        }
        Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
        admin.listOffsets(partitions)
                .all()
                .get()
                .forEach((partition, end) -> ends.put(partition, new OffsetAndMetadata(end.offset())));
        admin.alterConsumerGroupOffsets("rebuild-it", ends).all().get();
    }

    @Test
    void rejectsALogWithoutItsBeginning() throws Exception {
        admin.deleteRecords(Map.of(new TopicPartition(TOPIC, 1), RecordsToDelete.beforeOffset(10)))
                .all()
                .get();

        JsonNode status = rebuild("");

        assertThat(status.path("state").asText()).isEqualTo("FAILED");
        assertThat(status.path("failure").asText())
                .isEqualTo(
                        TOPIC
                                + " partition 1 begins at offset 10: earlier records are gone, and the view cannot be rebuilt without them");
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100);
        assertThat(shadow()).isZero();
    }

    @Test
    void rejectsALogThatEndsBeforeTheView() {
        jdbc.sql("update projection_position set next_offset = 9999 where projection = 'rebuild-it' and partition = 0")
                .update();

        JsonNode status = rebuild("");

        assertThat(status.path("state").asText()).isEqualTo("FAILED");
        assertThat(status.path("failure").asText())
                .isEqualTo(TOPIC + " partition 0 ends at offset " + RECORDS / 2
                        + ", before the position of the view: it is another log");
    }

    @Test
    void failsWithoutAValueAndLeavesTheView() {
        projection.failure = new IllegalStateException("the patient's name");
        projection.failures.set(Integer.MAX_VALUE);

        JsonNode status = rebuild("?dryRun=true");

        assertThat(status.path("state").asText()).isEqualTo("FAILED");
        assertThat(status.path("failure").asText()).isEqualTo("IllegalStateException");
        assertThat(status.path("finishedAt").asLong()).isPositive();
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100);
        assertThat(shadow()).isZero();
        projection.failures.set(0);
        assertThat(rebuild("?dryRun=true").path("state").asText()).isEqualTo("LIVE");
    }

    @Test
    void survivesAnUnknownFailure() {
        projection.failure = new IllegalStateException("for once");
        projection.failures.set(2);

        assertThat(rebuild("?dryRun=true").path("state").asText()).isEqualTo("LIVE");
    }

    @Test
    void continuesWhenADependencyIsBack() {
        projection.failure = new DataAccessResourceFailureException("down");
        projection.failures.set(5);

        JsonNode status = rebuild("");

        assertThat(status.path("state").asText()).isEqualTo("LIVE");
        assertThat(status.path("differences").asInt()).isZero();
        assertThat(status.path("eventsDone").asInt()).isEqualTo(RECORDS);
        assertThat(status.path("poisonSkipped").asInt()).isEqualTo(RECORDS / 100);
    }

    @Test
    void reportsAnObjectThatDependsOnATable() {
        jdbc.sql("create view rebuild_it_report as select id from rebuild_it").update();

        JsonNode status = rebuild("");

        assertThat(status.path("state").asText()).isEqualTo("FAILED");
        assertThat(status.path("failure").asText())
                .isEqualTo(
                        "something else in the database depends on table rebuild_it, so the rebuild cannot replace it");
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100);
    }

    @Test
    void failsWhenATableHasChangedSinceTheStart() {
        jdbc.sql("create table projection_shadow.rebuild_it (id text)").update();
        jdbc.sql(
                        """
                        insert into projection_rebuild (id, tenant, projection, state, step, dry_run, started_by)
                        values (gen_random_uuid(), 'default', 'rebuild-it', 'RUNNING', 'READ', false, 'an older release')""")
                .update();

        JsonNode status = awaitEnd();

        assertThat(status.path("failure").asText()).isEqualTo("table rebuild_it has changed since the rebuild began");
        assertThat(shadow()).isZero();
    }

    @Test
    void waitsForAReaderWithoutHoldingUpOthers() throws Exception {
        jdbc.sql("delete from rebuild_it where id = 'k1'").update();
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch enough = new CountDownLatch(1);
        Thread reader = new Thread(() -> transactions.executeWithoutResult(status -> {
            count();
            reading.countDown();
            try {
                enough.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        reader.start();
        reading.await();
        assertThat(post(STATUS + "/rebuild", "application/json", "").statusCode())
                .isEqualTo(202);
        await().until(() -> status().path("differences").asInt() == 1);
        long longest = 0;
        for (int i = 0; i < 20; i++) {
            long since = System.nanoTime();
            count();
            longest = Math.max(longest, System.nanoTime() - since);
            TimeUnit.MILLISECONDS.sleep(200);
        }
        assertThat(status().path("state").asText()).isEqualTo("REBUILDING");
        assertThat(Duration.ofNanos(longest)).isLessThan(Duration.ofSeconds(4));

        enough.countDown();

        assertThat(awaitEnd().path("state").asText()).isEqualTo("LIVE");
        assertThat(count()).isEqualTo(RECORDS - RECORDS / 100);
    }

    private void project(List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
        projectAll(records.stream()
                .filter(record -> !text(record.value()).equals("poison"))
                .toList());
        // the last ones are poison; the group has done with them
        jdbc.sql("update projection_position set next_offset = ? where projection = 'rebuild-it'")
                .param(RECORDS / PARTITIONS)
                .update();
    }

    private void projectAll(List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
        Exchange exchange = new DefaultExchange(camel);
        for (int partition = 0; partition < PARTITIONS; partition++) {
            List<Message> batch = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> record : records) {
                if (record.partition() == partition) {
                    Message message = new DefaultMessage(exchange);
                    message.setHeader(KafkaConstants.KEY, record.key());
                    message.setHeader(KafkaConstants.PARTITION, record.partition());
                    message.setHeader(KafkaConstants.OFFSET, record.offset());
                    message.setHeader(KafkaConstants.HEADERS, record.headers());
                    message.setBody(events.decode(record));
                    batch.add(message);
                }
            }
            if (!batch.isEmpty()) {
                projection.project(batch);
            }
        }
    }

    private JsonNode rebuild(String query) {
        HttpResponse<String> begun = post(STATUS + "/rebuild" + query, "application/json", "");
        assertThat(begun.statusCode()).as(begun.body()).isEqualTo(202);
        return awaitEnd();
    }

    private JsonNode awaitEnd() {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> !status().path("state").asText().equals("REBUILDING"));
        return status();
    }

    private JsonNode status() {
        return json(get(STATUS).body());
    }

    private int count() {
        return jdbc.sql("select count(*) from rebuild_it").query(Integer.class).single();
    }

    private int shadow() {
        return jdbc.sql(
                        "select count(*) from pg_tables where schemaname = 'projection_shadow' and tablename = 'rebuild_it'")
                .query(Integer.class)
                .single();
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }
}
