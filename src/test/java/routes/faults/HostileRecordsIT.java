package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.faults.Load.CREATED;
import static routes.faults.Load.UPDATED;
import static routes.faults.Load.bytes;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import routes.CompressedBatch;
import sandbox.Servers;

/**
 * Sends records that are small for the broker and large for a consumer, to a runtime with a heap of 256 MB. It
 * survives, and other partitions and topics proceed. Each run prints their delay.
 */
@Tag("faults")
class HostileRecordsIT extends DeliveryFaults {

    private static final String GROUP = "pharmacy-prescription-processor";
    private static final int PARTITIONS = 6;

    /** The topic of the hostile records alone. */
    private static final int HOSTILE = 0;

    private static Instance instance;

    @BeforeAll
    static void startServers() throws Exception {
        start(Servers.own("hostile-records-servers"));
        instance = new Instance(servers);
        instance.ready();
    }

    @AfterAll
    static void stopInstance() {
        instance.close();
    }

    @Test
    void sixtyLargeRecordsInASmallBatch() throws Exception {
        for (String topic : List.of(CREATED, UPDATED)) {
            send(topic, 60, 900_000);
        }
        neighboursGoOn("2 x 60 records of 0.9 MB in a batch");
        awaitEnd();
    }

    @Test
    void aBatchThatUnpacksToThreeHundredMegabytes() throws Exception {
        for (String topic : List.of(CREATED, UPDATED)) {
            send(topic, 330, 900_000);
        }
        neighboursGoOn("2 x 330 records of 0.9 MB in a batch");
        awaitEnd();
    }

    @Test
    void aRecordThatDoesNotFitIntoTheHeap() throws Exception {
        send(CREATED, 1, 300_000_000);
        neighboursGoOn("a record of 300 MB");
        await(60).untilAsserted(() -> assertThat(
                        instance.runtime.management("/observe/health").body())
                .contains("topic " + CREATED + ", partition " + HOSTILE + ": cannot be read from offset ")
                .contains("OutOfMemoryError"));
        neighboursGoOn("a record of 300 MB that is held");
        assertThat(instance.runtime.management("/observe/health/ready").statusCode())
                .isEqualTo(200);

        removeWhatIsHostile();
        awaitEnd();
        await(60).untilAsserted(() -> assertThat(
                        instance.runtime.management("/observe/health").body())
                .contains("were removed before they were read")
                .doesNotContain("cannot be read"));
    }

    /** Fills the heap in any part of the client. */
    @ParameterizedTest
    @ValueSource(ints = {40_000_000, 70_000_000, 110_000_000})
    void aRecordThatMayFillTheHeapIsNotSkipped(int size) throws Exception {
        long letters = end(CREATED + ".dlq");
        send(CREATED, 1, size);
        neighboursGoOn("a record of %d MB".formatted(size / 1_000_000));
        await(60).untilAsserted(() -> assertThat(end(CREATED + ".dlq") == letters + 1 || isHeld())
                .as("it is a dead letter, or held")
                .isTrue());
        removeWhatIsHostile();
        awaitEnd();
    }

    @Test
    void aRecordWithFortyThousandHeaders() throws Exception {
        for (String topic : List.of(CREATED, UPDATED)) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, HOSTILE, bytes("k"), bytes("{}"));
            for (int i = 0; i < 40_000; i++) {
                record.headers().add("h" + i, null);
            }
            CompressedBatch.send(brokers, 1_000_000, List.of(record));
        }
        neighboursGoOn("40,000 headers");
        awaitEnd();
    }

    /** Makes one batch of zeros, which are poison. */
    private static void send(String topic, int count, int size) throws Exception {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        byte[] zeros = new byte[size];
        for (int i = 0; i < count; i++) {
            records.add(new ProducerRecord<>(topic, HOSTILE, bytes("k" + i), zeros));
        }
        CompressedBatch.send(brokers, count * (size + 1000), records);
    }

    private static void neighboursGoOn(String what) throws Exception {
        try (Load load = new Load("neighbours", brokers)) {
            long since = System.nanoTime();
            for (int i = 0; load.sent.get() < 200; i++) {
                byte[] key = bytes(load.run + "k" + i);
                if (BuiltInPartitioner.partitionForKey(key, PARTITIONS) != HOSTILE) {
                    load.good(i % 2 == 0 ? CREATED : UPDATED, "k" + i, "");
                }
            }
            load.finish();
            await(60).until(() -> effects(load.run) == 200);
            System.out.printf(
                    "faults: %s: 200 neighbours done after %d ms, heap %d MB, in flight %d MB%n",
                    what,
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since),
                    instance.runtime.heapMegabytes(),
                    inFlight() >> 20);
        }
    }

    private static boolean isHeld() {
        return instance.runtime
                .management("/observe/health")
                .body()
                .contains("topic " + CREATED + ", partition " + HOSTILE + ": cannot be read from offset ");
    }

    private static void removeWhatIsHostile() throws Exception {
        TopicPartition partition = new TopicPartition(CREATED, HOSTILE);
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(end(partition))))
                .all()
                .get();
    }

    private static long end(String topic) throws Exception {
        long end = 0;
        for (int partition = 0; partition < PARTITIONS; partition++) {
            end += end(new TopicPartition(topic, partition));
        }
        return end;
    }

    private static long end(TopicPartition partition) throws Exception {
        return admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                .all()
                .get()
                .get(partition)
                .offset();
    }

    /** Waits until every record is handled or dead-lettered. */
    private static void awaitEnd() {
        await(180).until(() -> Clients.lag(admin, GROUP, List.of(CREATED, UPDATED)) == 0);
    }

    private static long inFlight() {
        Matcher gauge = Pattern.compile("event_broker_consumer_in_flight_bytes\\{[^}]*} ([0-9.E]+)")
                .matcher(instance.runtime.management("/observe/metrics").body());
        double sum = 0;
        while (gauge.find()) {
            sum += Double.parseDouble(gauge.group(1));
        }
        return (long) sum;
    }

    private static int effects(String run) {
        return outcome.count("select count(*) from fault_effect where run = ?", run);
    }

    private static ConditionFactory await(int seconds) {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(seconds))
                .pollInterval(Duration.ofMillis(100))
                .ignoreExceptions();
    }
}
