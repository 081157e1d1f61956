package routes.platform.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import com.fasterxml.jackson.databind.JsonNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.actuate.health.Status;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.support.TransactionTemplate;
import routes.RuntimeIT;
import routes.platform.database.DirectConnections;
import routes.platform.error.FailureClassifier;
import sandbox.Topics;

/** Runs the outbox on a real broker and database. The active relay may be that of another runtime in this JVM. */
class OutboxIT extends RuntimeIT {

    private final String topic = "outbox-it-" + UUID.randomUUID();
    private final String other = topic + "-other";
    private final List<String> created = new ArrayList<>();

    @Autowired
    private Outbox outbox;

    @Autowired
    private OutboxRelay relay;

    @Autowired
    private TransactionTemplate transactions;

    @Autowired
    private Admin admin;

    @Autowired
    private ObjectProvider<CamelContext> camel;

    @Autowired
    private javax.sql.DataSource database;

    @Autowired
    private DirectConnections directConnections;

    @Autowired
    private OutboxSettings settings;

    @BeforeEach
    void createTopics() throws Exception {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
        create(topic);
        create(other);
    }

    @AfterEach
    void deleteTopics() throws Exception {
        jdbc.sql("delete from outbox where topic like ?").param(topic + "%").update();
        admin.deleteTopics(created).all().get();
    }

    @Test
    void sendsCommittedRecordsUnchangedAndNoOthers() {
        List<Header> headers = List.of(
                new RecordHeader("twice", bytes("1")),
                new RecordHeader("once", null),
                new RecordHeader("twice", bytes("2")));
        transactions.executeWithoutResult(status -> {
            outbox.add(new OutboxRecord(topic, bytes("k"), new byte[] {0, 1, (byte) 255}, headers, "e1", "default"));
            outbox.add(new OutboxRecord(topic, bytes("k"), null, List.of(), null, "default"));
            outbox.add(new OutboxRecord(topic, null, bytes("v"), List.of(), null, "default"));
        });
        transactions.executeWithoutResult(status -> {
            add("k", "rolled back");
            status.setRollbackOnly();
        });
        add("last", "last");

        awaitRecords(topic, 4);
        List<ConsumerRecord<byte[], byte[]>> ofKey = recordsOf(topic, "k");
        assertThat(ofKey).hasSize(2);
        assertThat(ofKey.get(0).value()).containsExactly(0, 1, 255);
        assertThat(Stream.of(ofKey.get(0).headers().toArray()).map(h -> h.key() + "=" + textOf(h.value())))
                .containsExactly("twice=1", "once=null", "twice=2");
        assertThat(ofKey.get(1).value()).isNull();
        assertThat(records(topic)).filteredOn(record -> record.key() == null).hasSize(1);
        await().untilAsserted(() -> assertThat(unsent()).isZero());
    }

    @Test
    void rejectsARecordOutsideATransaction() {
        assertThatThrownBy(() -> outbox.add(text(topic, "k", "v")))
                .isInstanceOf(IllegalTransactionStateException.class);
    }

    @Test
    void sendsEveryCommittedRecordInCommitOrder() throws Exception {
        jdbc.sql("create table if not exists outbox_it (key text primary key, version int not null)")
                .update();
        List<String> keys = IntStream.range(0, 6).mapToObj(i -> topic + i).toList();
        keys.forEach(key ->
                jdbc.sql("insert into outbox_it values (?, 0)").param(key).update());
        Map<String, Integer> versions = new HashMap<>();
        ExecutorService writers = Executors.newFixedThreadPool(10);
        List<Future<?>> done = new ArrayList<>();
        for (int writer = 0; writer < 10; writer++) {
            Random random = new Random(writer);
            done.add(writers.submit(() -> {
                for (int i = 0; i < 40; i++) {
                    String key = keys.get(random.nextInt(keys.size()));
                    transactions.executeWithoutResult(status -> {
                        int version = jdbc.sql(
                                        "update outbox_it set version = version + 1 where key = ? returning version")
                                .param(key)
                                .query(Integer.class)
                                .single();
                        outbox.add(text(topic, key, String.valueOf(version)));
                        outbox.add(text(other, null, UUID.randomUUID().toString()));
                        pause(random.nextInt(12));
                        if (random.nextInt(4) == 0) {
                            status.setRollbackOnly();
                        }
                    });
                }
                return null;
            }));
        }
        for (Future<?> one : done) {
            one.get();
        }
        writers.shutdown();
        jdbc.sql("select key, version from outbox_it where key like ?")
                .param(topic + "%")
                .query((row, n) -> versions.put(row.getString(1), row.getInt(2)))
                .list();

        int committed = versions.values().stream().mapToInt(v -> v).sum();
        assertThat(committed).isBetween(200, 380);
        awaitRecords(topic, committed);
        awaitRecords(other, committed);
        await().untilAsserted(() -> assertThat(unsent()).isZero());
        versions.forEach((key, version) -> assertThat(values(topic, key))
                .isEqualTo(IntStream.rangeClosed(1, version)
                        .mapToObj(String::valueOf)
                        .toList()));
        assertThat(records(other).stream().map(r -> text(r.value())).distinct()).hasSize(committed);
    }

    @Test
    void sendsARecordThatIsCommittedAfterOneWithAHigherId() throws Exception {
        CountDownLatch added = new CountDownLatch(1);
        CountDownLatch commit = new CountDownLatch(1);
        Thread late = new Thread(() -> transactions.executeWithoutResult(status -> {
            outbox.add(text(topic, "late", "1"));
            added.countDown();
            awaitLatch(commit);
        }));
        late.start();
        awaitLatch(added);
        add("early", "2");
        awaitRecords(topic, 1);
        await().untilAsserted(() -> assertThat(unsent()).isZero());

        commit.countDown();
        late.join();
        awaitRecords(topic, 2);
    }

    @Test
    void drawsTheIdAfterTheTransactionBeforeItOfTheKey() throws Exception {
        CountDownLatch added = new CountDownLatch(1);
        CountDownLatch commit = new CountDownLatch(1);
        Thread first = new Thread(() -> transactions.executeWithoutResult(status -> {
            outbox.add(text(topic, "k", "1"));
            added.countDown();
            awaitLatch(commit);
            outbox.add(text(topic, "k", "2"));
        }));
        first.start();
        awaitLatch(added);
        Thread second = new Thread(() -> add("k", "3"));
        second.start();
        await().untilAsserted(() -> assertThat(
                        jdbc.sql("select count(*) from pg_locks where locktype = 'advisory' and not granted")
                                .query(Integer.class)
                                .single())
                .isPositive());
        commit.countDown();
        first.join();
        second.join();

        awaitRecords(topic, 3);
        assertThat(values(topic, "k")).containsExactly("1", "2", "3");
    }

    @Test
    void addsManyRecordsWithoutDeadlocks() throws Exception {
        ExecutorService writers = Executors.newFixedThreadPool(6);
        List<Future<?>> done = new ArrayList<>();
        for (int writer = 0; writer < 6; writer++) {
            Random random = new Random(writer);
            done.add(writers.submit(() -> {
                for (int i = 0; i < 20; i++) {
                    int first = random.nextInt(8);
                    transactions.executeWithoutResult(status -> outbox.addAll(IntStream.range(0, 8)
                            .mapToObj(k -> text(topic, "k" + (first + k * 3) % 8, "v"))
                            .toList()));
                }
                return null;
            }));
        }
        for (Future<?> one : done) {
            one.get();
        }
        writers.shutdown();
        awaitRecords(topic, 6 * 20 * 8);
    }

    @Test
    void parksARejectedRecordAndSendsItsKeyInOrderAfterRelease() throws Exception {
        limit(topic, "20000");
        byte[] large = new byte[30_000];
        new Random(1).nextBytes(large);
        transactions.executeWithoutResult(status -> {
            outbox.add(text(topic, "k", "1"));
            outbox.add(new OutboxRecord(topic, bytes("k"), large, List.of(), null, "default"));
            outbox.add(text(topic, "k", "3"));
            outbox.add(text(topic, "other", "1"));
            outbox.add(text(other, "k", "1"));
        });
        add("k", "4");

        await().untilAsserted(() -> assertThat(parked()).hasSize(1));
        add("other", "2");
        await().untilAsserted(() -> assertThat(values(topic, "other")).containsExactly("1", "2"));
        assertThat(values(other, "k")).containsExactly("1");
        assertThat(values(topic, "k")).containsExactly("1");
        long id = parked().get(0);
        assertThat(management("/observe/health").body())
                .contains("record " + id + " for " + topic + " is parked: RecordTooLargeException");
        assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
        await().untilAsserted(() -> assertThat(management("/observe/metrics").body())
                .containsPattern("event_broker_outbox_set_aside\\{.*} [1-9]")
                .containsPattern("event_broker_outbox_waiting\\{.*} [1-9]"));

        limit(topic, "1048588");
        assertThat(documented("see").query((row, n) -> row.getLong("id")).list())
                .contains(id);
        documented("release").param("id", id).update();
        await().untilAsserted(() -> assertThat(recordsOf(topic, "k")).hasSize(4));
        assertThat(recordsOf(topic, "k").get(1).value()).isEqualTo(large);
        assertThat(values(topic, "k").get(3)).isEqualTo("4");
    }

    @Test
    void sendsToATopicSmallerThanAProducerBatch() throws Exception {
        limit(topic, "20000");
        byte[] value = new byte[1000];
        byte[] large = new byte[30_000];
        Random random = new Random(2);
        random.nextBytes(large);
        List<OutboxRecord> added = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            random.nextBytes(value);
            added.add(new OutboxRecord(topic, bytes("k" + i % 20), value.clone(), List.of(), null, "default"));
        }
        added.add(30, new OutboxRecord(topic, bytes("large"), large, List.of(), null, "default"));
        transactions.executeWithoutResult(status -> outbox.addAll(added));

        awaitRecords(topic, 60);
        await().untilAsserted(() -> assertThat(parked()).hasSize(1));
        for (int k = 0; k < 20; k++) {
            byte[] key = bytes("k" + k);
            assertThat(recordsOf(topic, "k" + k).stream().map(ConsumerRecord::value))
                    .containsExactlyElementsOf(added.stream()
                            .filter(one -> Arrays.equals(one.key(), key))
                            .map(OutboxRecord::value)
                            .toList());
        }
    }

    @Test
    void parksAnOversizeRecordAndResumesAfterADrop() {
        // more than event-broker.max-record-bytes
        byte[] large = new byte[26_000_000];
        transactions.executeWithoutResult(status -> {
            outbox.add(new OutboxRecord(topic, bytes("k"), large, List.of(), null, "default"));
            outbox.add(text(topic, "k", "2"));
            outbox.add(new OutboxRecord(topic, null, large, List.of(), null, "default"));
            outbox.add(text(topic, null, "3"));
        });
        await().untilAsserted(() -> assertThat(parked()).hasSize(2));
        awaitRecords(topic, 1);
        assertThat(recordsOf(topic, "k")).isEmpty();

        documented("drop").param("id", parked().get(0)).update();
        await().untilAsserted(() -> assertThat(values(topic, "k")).containsExactly("2"));
    }

    @Test
    void keepsRecordsOfAMissingTopicAndSendsAllOthers() throws Exception {
        becomeActive();
        String missing = topic + "-missing";
        for (int i = 1; i <= 3; i++) {
            String value = String.valueOf(i);
            transactions.executeWithoutResult(status -> outbox.add(text(missing, "k", value)));
        }
        await().untilAsserted(() -> assertThat(management("/observe/health").body())
                .contains("topic " + missing + " waits: UnknownTopicOrPartitionException"));
        long began = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            add("k", String.valueOf(i));
            awaitRecords(topic, i + 1);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(20));
        assertThat(parked()).isEmpty();

        create(missing);
        awaitRecords(missing, 3);
        assertThat(values(missing, "k")).containsExactly("1", "2", "3");
        await().untilAsserted(() -> assertThat(relay.waitingTopics()).doesNotContainKey(missing));
    }

    @Test
    void forgetsAMissingTopicWhoseRecordsWereDropped() throws Exception {
        becomeActive();
        String missing = topic + "-missing";
        transactions.executeWithoutResult(status -> outbox.add(text(missing, "k", "1")));
        await().untilAsserted(() -> assertThat(management("/observe/health").body())
                .contains("topic " + missing + " waits: UnknownTopicOrPartitionException"));

        jdbc.sql("delete from outbox where topic = ?").param(missing).update();

        await().untilAsserted(
                        () -> assertThat(management("/observe/health").body()).doesNotContain(missing));
    }

    @Test
    void readsNoRowsOfAWaitingTopic() throws Exception {
        int rows = 200_000;
        String blocked = topic + "-missing";
        jdbc.sql(
                        """
                        insert into outbox (tenant, topic, key, value, header_names, header_values)
                        select 'default', ?, int4send(n % 1000), int4send(n), '{}', '{}' from generate_series(1, ?) n""")
                .params(blocked, rows)
                .update();
        jdbc.sql("analyze outbox").update();
        transactions.executeWithoutResult(status -> {
            outbox.add(text(topic, "k", "1"));
            assertThat(blocksOfARead(blocked)).isLessThan(rows / 200);
        });
        add("k", "2");
        awaitRecords(topic, 2);

        // an open topic gets its share of a read only
        create(blocked);
        add("k", "3");
        awaitRecords(topic, 3);
        await().until(() -> unsent(topic) == 0);
        assertThat(jdbc.sql(
                                """
                                select count(*) from outbox behind where topic = ? and id < (select max(id) from outbox where topic = ?)
                                and (sent_at is null or sent_at > (select max(sent_at) from outbox where topic = ?))""")
                        .params(blocked, topic, topic)
                        .query(Integer.class)
                        .single())
                .as("older rows that the relay sent later")
                .isPositive();
    }

    /** Counts the database pages that one read of the outbox touches while a topic is closed. */
    private int blocksOfARead(String closed) {
        return new JdbcTemplate(database).execute((Connection connection) -> {
            try (PreparedStatement look =
                    connection.prepareStatement("explain (analyze, buffers, format json) " + OutboxTable.READ)) {
                look.setArray(1, connection.createArrayOf("text", new Object[] {closed}));
                look.setInt(2, 1000);
                look.setArray(3, connection.createArrayOf("bigint", new Object[0]));
                look.setInt(4, 1000);
                look.setLong(5, Long.MAX_VALUE);
                try (ResultSet plan = look.executeQuery()) {
                    plan.next();
                    JsonNode top = json(plan.getString(1)).at("/0/Plan");
                    return top.path("Shared Hit Blocks").asInt()
                            + top.path("Shared Read Blocks").asInt();
                }
            }
        });
    }

    @Test
    void restartsAfterAnErrorAndReportsIt() throws Exception {
        AtomicInteger errors = new AtomicInteger(Integer.MAX_VALUE);
        @SuppressWarnings("unchecked")
        ObjectProvider<CamelContext> failing = mock(ObjectProvider.class);
        when(failing.getObject()).thenAnswer(call -> {
            if (errors.getAndDecrement() > 0) {
                throw new NoClassDefFoundError("of a client");
            }
            return camel.getObject();
        });
        OutboxRelay second = relayWith(failing);
        OutboxHealth health = new OutboxHealth(jdbc, second);
        relay.stop();
        second.start();
        try {
            await().until(() -> {
                terminateRelays(connections());
                return second.failure().isPresent();
            });
            assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
            assertThat(health.health().getDetails().get("troubles").toString()).contains("NoClassDefFoundError");

            errors.set(0);
            await().until(() -> {
                if (!second.isActive()) {
                    terminateRelays(connections());
                }
                return second.isActive();
            });
            add("k", "1");
            awaitRecords(topic, 1);
            await().until(() -> second.failure().isEmpty());
        } finally {
            second.stop();
            relay.start();
        }
    }

    @Test
    void waitsForABrokerThatIsDown() {
        SERVERS.kafka().kill();
        try {
            for (int i = 0; i < 50; i++) {
                add("k" + i % 5, String.valueOf(i));
            }
            await().pollDelay(Duration.ofSeconds(8)).until(() -> unsent() == 50 && parked().isEmpty());
        } finally {
            SERVERS.kafka().start();
        }
        await().untilAsserted(() -> assertThat(unsent()).isZero());
        for (int k = 0; k < 5; k++) {
            int key = k;
            assertThat(values(topic, "k" + k).stream().distinct())
                    .isEqualTo(IntStream.range(0, 10)
                            .mapToObj(i -> String.valueOf(i * 5 + key))
                            .toList());
        }
    }

    @Test
    void handsOverWhenTheRelayStopsOrLosesItsConnection() throws Exception {
        becomeActive();
        OutboxRelay second = relayWith(camel);
        second.start();
        try {
            add("k", "1");
            awaitRecords(topic, 1);
            assertThat(second.isActive()).isFalse();
            List<Integer> first = connections();
            assertThat(first).hasSize(1);

            // the runtime of another test may be the next relay
            long began = System.nanoTime();
            relay.stop();
            await().pollInterval(Duration.ofMillis(20))
                    .until(() -> connections().stream().anyMatch(connection -> !first.contains(connection)));
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(3));
            add("k", "2");
            awaitRecords(topic, 2);

            relay.start();
            terminateRelays(connections());
            add("k", "3");
            awaitRecords(topic, 3);
            assertThat(connections()).hasSize(1);
        } finally {
            second.stop();
            if (!relay.isRunning()) {
                relay.start();
            }
        }
        assertThat(values(topic, "k")).containsExactly("1", "2", "3");
    }

    private OutboxRelay relayWith(ObjectProvider<CamelContext> context) {
        return new OutboxRelay(
                directConnections,
                new RelayProducerFactory(context, settings),
                admin,
                settings,
                new FailureClassifier());
    }

    private void create(String name) throws Exception {
        Topics.create(admin, 3, name);
        created.add(name);
    }

    private void limit(String name, String bytes) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, name),
                        List.of(new AlterConfigOp(
                                new ConfigEntry("max.message.bytes", bytes), AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    private void add(String key, String value) {
        transactions.executeWithoutResult(status -> outbox.add(text(topic, key, value)));
    }

    private static OutboxRecord text(String topic, String key, String value) {
        return new OutboxRecord(topic, bytes(key), bytes(value), List.of(), value, "default");
    }

    /** Ends the connections of other relays until this runtime is the relay. */
    private void becomeActive() {
        await().until(() -> {
            if (!relay.isActive()) {
                terminateRelays(connections());
            }
            return relay.isActive();
        });
    }

    private List<Integer> connections() {
        return jdbc.sql(
                        """
                        select pid from pg_locks join pg_stat_activity using (pid)
                        where locktype = 'advisory' and granted and application_name = 'event-broker-outbox'""")
                .query(Integer.class)
                .list();
    }

    private void terminateRelays(List<Integer> pids) {
        pids.forEach(pid -> jdbc.sql("select pg_terminate_backend(?)")
                .param(pid)
                .query(Boolean.class)
                .single());
    }

    private void awaitRecords(String of, int count) {
        await().untilAsserted(() -> assertThat(records(of)).hasSize(count));
    }

    private static List<ConsumerRecord<byte[], byte[]>> recordsOf(String topic, String key) {
        return records(topic).stream()
                .filter(record -> record.key() != null && text(record.key()).equals(key))
                .toList();
    }

    private static List<String> values(String topic, String key) {
        return recordsOf(topic, key).stream()
                .map(record -> text(record.value()))
                .toList();
    }

    private int unsent() {
        return jdbc.sql("select count(*) from outbox where topic like ? and sent_at is null")
                .param(topic + "%")
                .query(Integer.class)
                .single();
    }

    private int unsent(String of) {
        return jdbc.sql("select count(*) from outbox where topic = ? and sent_at is null")
                .param(of)
                .query(Integer.class)
                .single();
    }

    private List<Long> parked() {
        return jdbc.sql("select id from outbox where topic like ? and set_aside_at is not null order by id")
                .param(topic + "%")
                .query(Long.class)
                .list();
    }

    private org.springframework.jdbc.core.simple.JdbcClient.StatementSpec documented(String what) {
        return jdbc.sql(Documented.sql(what));
    }

    private static String textOf(byte[] bytes) {
        return bytes == null ? "null" : text(bytes);
    }

    private static void pause(int millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
