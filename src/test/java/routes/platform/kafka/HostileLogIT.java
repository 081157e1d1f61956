package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.springframework.boot.actuate.health.Status;
import routes.CompressedBatch;
import routes.platform.error.UnreadableRecordException;
import sandbox.Servers;
import sandbox.Topics;

/** Logs that none of our producers would leave: damaged, deleted, truncated, or with hostile records. */
class HostileLogIT extends ConsumerFixture {

    private static final int MANY = 60;
    private static final int LARGE = 900_000;

    @Test
    void reportsRecordsThatWereDeletedWhileItWasAway() throws Exception {
        run("", this::note);
        sendTo(0, 0, 10);
        await().untilAsserted(() -> assertThat(lag()).isZero());
        contexts.remove(0).stop();
        sendTo(0, 10, 10);
        delete(0, 15);

        PipelinedKafkaComponent kafka = run("", this::note);

        await().untilAsserted(() -> assertThat(lag()).isZero());
        assertThat(seen).hasSize(15);
        assertThat(counter("records.lost")).isEqualTo(5);
        assertThat(health(kafka).getStatus()).isEqualTo(Status.UP);
        assertThat(health(kafka).getDetails().get("lost").toString())
                .contains("group " + group + ", topic " + topic + ", partition 0")
                .contains("offsets 10 to 14 were removed before they were read");
    }

    @Test
    void readsARecreatedTopicFromItsBeginning() throws Exception {
        PipelinedKafkaComponent kafka = run("", this::note);
        sendTo(0, 0, 10);
        await().untilAsserted(() -> assertThat(lag()).isZero());
        admin.deleteTopics(List.of(topic)).all().get();
        await().ignoreExceptions().until(() -> {
            Topics.create(admin, 4, topic);
            return true;
        });
        sendTo(0, 100, 3);

        await().untilAsserted(() -> assertThat(seen).contains("k 100", "k 101", "k 102"));
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(3));
        assertThat(counter("records.lost")).isZero();
        assertThat(health(kafka).getStatus()).isEqualTo(Status.UP);
    }

    @Test
    void beginsAtTheResetOfTheRouteWithoutACommit() throws Exception {
        sendTo(0, 0, 10);
        run("&autoOffsetReset=latest", this::note);
        await().until(() -> committed() == 10);
        sendTo(0, 10, 1);

        await().untilAsserted(() -> assertThat(seen).containsExactly("k 10"));
    }

    @Test
    void holdsOnlyThePartitionOfADamagedBatch() throws Exception {
        sendTo(0, 0, 5);
        sendTo(0, 5, 1);
        sendTo(0, 6, 4);
        damage(0, 5);
        PipelinedKafkaComponent kafka = run("", this::note);
        await().untilAsserted(() -> assertThat(health(kafka).getStatus()).isEqualTo(Status.DOWN));
        assertThat(health(kafka).getDetails().get("held").toString())
                .contains("topic " + topic + ", partition 0: cannot be read from offset 5: KafkaException");
        assertThat(gauge("held.partitions")).isEqualTo(1);
        assertThat(gauge("failing.members")).isZero();
        String member = member();
        for (int partition = 1; partition < 4; partition++) {
            sendTo(partition, 100 * partition, 10);
        }
        await().untilAsserted(() -> assertThat(seen).hasSize(35));
        assertThat(member()).as("it has not left the group").isEqualTo(member);

        delete(0, 6);

        await().untilAsserted(() -> assertThat(health(kafka).getStatus()).isEqualTo(Status.UP));
        await().untilAsserted(() -> assertThat(lag()).isZero());
        assertThat(seen).hasSize(39).doesNotHaveDuplicates();
        assertThat(counter("records.lost")).isEqualTo(1);
    }

    @Test
    void readsNoMoreThanItsBudgetFromALargeBatch() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        run("", exchange -> {
            go.await();
            seen.add(key(exchange));
        });
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            records.add(new ProducerRecord<>(topic, 0, bytes("k" + i % 10), new byte[LARGE]));
        }
        CompressedBatch.send(BROKERS, MANY * LARGE + 100_000, records);
        await().until(() -> gauge("in.flight") > 0);
        sendTo(1, 0, 1);
        await().until(() -> gauge("in.flight") > 1);
        assertThat(gauge("in.flight.bytes")).isGreaterThan(LARGE);
        await().during(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(gauge("in.flight.bytes")).isLessThan(4 << 20));
        go.countDown();

        await().untilAsserted(() -> assertThat(seen).hasSize(MANY + 1));
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            expected.add("k" + i);
        }
        assertThat(seen.stream().filter(key -> !key.equals("k")).distinct().toList())
                .containsExactlyInAnyOrderElementsOf(expected);
        await().untilAsserted(() -> assertThat(lag()).isZero());
    }

    @Test
    void losesNothingWhereABudgetEndsAPoll() throws Exception {
        List<Long> offsets = new CopyOnWriteArrayList<>();
        Map<Integer, List<Long>> byPartition = new HashMap<>();
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            byte[] value = new byte[(i * 7919) % 60_000];
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, i % 4, bytes("k"), value);
            for (int header = 0; header < i % 5; header++) {
                record.headers().add("h", new byte[(i * 31) % 2000]);
            }
            records.add(record);
        }
        CompressedBatch.send(BROKERS, 1_000_000, records);
        run("&batching=true", exchange -> {
            List<?> batch = exchange.getMessage().getBody(List.class);
            for (Object element : batch) {
                Message message = (Message) element;
                int partition = message.getHeader("kafka.PARTITION", Integer.class);
                long offset = message.getHeader("kafka.OFFSET", Long.class);
                synchronized (byPartition) {
                    byPartition
                            .computeIfAbsent(partition, p -> new ArrayList<>())
                            .add(offset);
                }
                offsets.add(offset);
            }
        });

        await().untilAsserted(() -> assertThat(offsets).hasSize(2000));
        assertThat(byPartition).hasSize(4);
        byPartition
                .values()
                .forEach(list ->
                        assertThat(list).isSorted().doesNotHaveDuplicates().hasSize(500));
    }

    @Test
    void leavesARecordWithManyHeadersToTheErrorPolicy() throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        run("", exchange -> failure.set(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)), this::note);
        sendTo(0, 0, 1);
        sendHeaders(0, 40_000);
        sendTo(0, 1, 1);

        await().untilAsserted(() -> assertThat(seen).containsExactly("k 0", "k 1"));
        await().untilAsserted(() -> assertThat(lag()).isZero());
        assertThat(failure.get())
                .isInstanceOf(UnreadableRecordException.class)
                .hasRootCauseInstanceOf(TooManyHeadersException.class)
                .hasRootCauseMessage("the record has more than 1000 headers");
    }

    @Test
    void isolatesARecordWithManyHeadersInABatch() throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        sendTo(0, 0, 10);
        sendHeaders(0, 1001);
        sendTo(0, 10, 10);
        run(
                "&batching=true",
                exchange -> failure.set(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class)),
                exchange -> exchange.getMessage().getBody(List.class).forEach(m -> seen.add(text((Message) m))));

        await().untilAsserted(() -> assertThat(seen).hasSize(20).doesNotHaveDuplicates());
        await().untilAsserted(() -> assertThat(lag()).isZero());
        assertThat(failure.get()).hasRootCauseInstanceOf(TooManyHeadersException.class);
    }

    private void sendHeaders(int partition, int count) throws Exception {
        try (var producer = producer()) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, partition, bytes("k"), bytes("many"));
            for (int i = 0; i < count; i++) {
                record.headers().add("h", null);
            }
            producer.send(record).get();
        }
    }

    /** Sends consecutive numbers as values, in one batch. */
    private void sendTo(int partition, int from, int count) throws Exception {
        try (var producer = producer()) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = from; i < from + count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, partition, bytes("k"), bytes(String.valueOf(i)))));
            }
            for (Future<RecordMetadata> record : sent) {
                record.get();
            }
        }
    }

    private void delete(int partition, long before) throws Exception {
        admin.deleteRecords(Map.of(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(before)))
                .all()
                .get();
    }

    /** Overwrites the last byte of the batch that begins at an offset, in the broker's file. */
    private void damage(int partition, long offset) throws IOException {
        Path log;
        try (Stream<Path> files = Files.walk(Servers.sharedDirectory())) {
            log = files.filter(file -> file.endsWith(Path.of(topic + "-" + partition, "00000000000000000000.log")))
                    .findFirst()
                    .orElseThrow();
        }
        try (FileChannel file = FileChannel.open(log, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer header = ByteBuffer.allocate(12);
            for (long at = 0; ; at += 12 + header.getInt(8)) {
                header.clear();
                file.read(header, at);
                if (header.getLong(0) == offset) {
                    file.write(ByteBuffer.wrap(new byte[] {42}), at + 12 + header.getInt(8) - 1);
                    return;
                }
            }
        }
    }

    private String member() throws Exception {
        return admin.describeConsumerGroups(List.of(group))
                .describedGroups()
                .get(group)
                .get()
                .members()
                .iterator()
                .next()
                .consumerId();
    }
}
