package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import routes.TopicRecords;
import routes.platform.outbox.Outbox;
import routes.platform.outbox.OutboxRecord;
import sandbox.Servers;
import sandbox.Topics;

/**
 * Kills the outbox relay while another instance stands by. Every committed row has a record, no rolled-back row has
 * one, and first occurrences follow the order of the commits per key.
 */
@Tag("faults")
class OutboxFaultsIT {

    private static final int KEYS = 20;

    private static Servers servers;
    private static Admin admin;
    private static JdbcTemplate jdbc;
    private static TransactionTemplate transactions;

    private final String topic = "outbox-faults-" + UUID.randomUUID();
    private final List<Instance> instances = new ArrayList<>();
    private final Set<String> committed = ConcurrentHashMap.newKeySet();
    private final Set<String> rolledBack = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private volatile boolean writing;

    @BeforeAll
    static void startServers() throws Exception {
        servers = Servers.own("outbox-faults-servers");
        admin = Admin.create(Map.of("bootstrap.servers", brokers()));
        DataSource database = Clients.database(servers);
        jdbc = new JdbcTemplate(database);
        transactions = new TransactionTemplate(new JdbcTransactionManager(database));
    }

    @AfterAll
    static void stopServers() {
        admin.close();
        servers.close();
    }

    @BeforeEach
    void startTwo() throws Exception {
        Topics.create(admin, 6, topic);
        instance();
        instance();
        awaitActive();
        jdbc.execute(
                "create table if not exists outbox_fault (topic text, key text, version int, primary key (topic, key))");
        for (int key = 0; key < KEYS; key++) {
            jdbc.update("insert into outbox_fault values (?, ?, 0)", topic, "k" + key);
        }
    }

    @AfterEach
    void stopInstances() {
        instances.forEach(Instance::close);
    }

    @Test
    void killedTenTimesUnderLoad() throws Exception {
        ExecutorService writers = startWriters();
        long longest = 0;
        for (int i = 0; i < 10; i++) {
            int goal = committed.size() + new Random().nextInt(500);
            Patience.whileMoving(committed::size).until(() -> committed.size() >= goal);
            awaitActive();
            long since = System.nanoTime();
            killActive();
            awaitActive();
            longest = Math.max(longest, System.nanoTime() - since);
            instance();
        }
        stop(writers);
        verify("kill -9 x 10, taken over within %d ms".formatted(TimeUnit.NANOSECONDS.toMillis(longest)));
    }

    @Test
    void killedBetweenCommitAndSend() throws Exception {
        servers.kafka().suspend();
        try {
            write(200);
            killActive();
        } finally {
            servers.kafka().resume();
        }
        verify("kill -9 between commit and send");
    }

    @Test
    void killedBetweenSendAndMark() throws Exception {
        servers.kafka().suspend();
        try {
            write(200);
            transactions.executeWithoutResult(locked -> {
                jdbc.queryForList("select id from outbox where topic = ? for update", topic);
                servers.kafka().resume();
                Patience.whileMoving(this::onTopic).until(() -> onTopic() >= committed.size());
                // the relay waits for the lock to mark the rows as sent
                killActive();
                awaitActive();
                locked.setRollbackOnly();
            });
        } finally {
            servers.kafka().resume();
        }
        assertThat(verify("kill -9 between send and mark")).isGreaterThanOrEqualTo(committed.size());
    }

    private void write(int count) {
        Random random = new Random();
        for (int i = 0; i < count; i++) {
            writeOne(random);
        }
    }

    private ExecutorService startWriters() {
        writing = true;
        ExecutorService writers = Executors.newFixedThreadPool(6);
        for (int i = 0; i < 6; i++) {
            writers.execute(() -> {
                Random random = new Random();
                try {
                    while (writing) {
                        writeOne(random);
                        TimeUnit.MILLISECONDS.sleep(random.nextInt(20));
                    }
                } catch (Exception e) {
                    failure.set(e);
                }
            });
        }
        return writers;
    }

    private void stop(ExecutorService writers) throws Exception {
        writing = false;
        writers.shutdown();
        assertThat(writers.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
        assertThat(failure.get()).isNull();
    }

    /** Writes a version of a key and its event; every fourth transaction rolls back. */
    private void writeOne(Random random) {
        String id = UUID.randomUUID().toString();
        String key = "k" + random.nextInt(KEYS);
        boolean back = random.nextInt(4) == 0;
        Outbox outbox = new Outbox(jdbc);
        transactions.executeWithoutResult(status -> {
            Integer version = jdbc.queryForObject(
                    "update outbox_fault set version = version + 1 where topic = ? and key = ? returning version",
                    Integer.class,
                    topic,
                    key);
            outbox.add(new OutboxRecord(topic, bytes(key), bytes(version + " " + id), List.of(), id, "default"));
            if (back) {
                status.setRollbackOnly();
            }
        });
        (back ? rolledBack : committed).add(id);
    }

    /** @return number of repeated records */
    private int verify(String what) throws Exception {
        Patience.whileMoving(this::unsent).until(() -> unsent() == 0);
        List<ConsumerRecord<byte[], byte[]>> records = TopicRecords.read(brokers(), topic);
        Set<String> seen = new HashSet<>();
        Map<String, Integer> last = new HashMap<>();
        int disordered = 0;
        int strangers = 0;
        for (ConsumerRecord<byte[], byte[]> one : records) {
            String[] versionAndId = text(one.value()).split(" ");
            if (seen.add(versionAndId[1])) {
                int version = Integer.parseInt(versionAndId[0]);
                disordered += version == last.getOrDefault(text(one.key()), 0) + 1 ? 0 : 1;
                last.put(text(one.key()), version);
            }
            strangers += rolledBack.contains(versionAndId[1]) ? 1 : 0;
        }
        Set<String> lost = new HashSet<>(committed);
        lost.removeAll(seen);
        System.out.printf(
                "faults: outbox, %s: committed %d, rolled back %d, lost %d, of rolled back ones %d, out of order %d, records %d (%d repeated)%n",
                what,
                committed.size(),
                rolledBack.size(),
                lost.size(),
                strangers,
                disordered,
                records.size(),
                records.size() - seen.size());
        assertThat(lost).isEmpty();
        assertThat(seen).isEqualTo(committed);
        assertThat(strangers).isZero();
        assertThat(disordered).isZero();
        return records.size() - seen.size();
    }

    private void killActive() {
        try {
            Instance dying = awaitActive();
            instances.remove(dying);
            dying.kill();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Instance awaitActive() {
        return Patience.await()
                .pollInterval(Duration.ofMillis(50))
                .until(() -> instances.stream().filter(Instance::isRelay).findFirst(), Optional::isPresent)
                .orElseThrow();
    }

    private int onTopic() {
        return TopicRecords.read(brokers(), topic).size();
    }

    private int unsent() {
        return jdbc.queryForObject(
                "select count(*) from outbox where topic = ? and sent_at is null", Integer.class, topic);
    }

    private void instance() throws Exception {
        Instance instance = new Instance(servers);
        instances.add(instance);
        instance.ready();
    }

    private static String brokers() {
        return Clients.brokers(servers);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
