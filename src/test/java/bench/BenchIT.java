package bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import routes.TopicRecords;
import sandbox.Servers;

/**
 * Runs every bench to its end with few records and asserts its counts; its figures mean nothing. The servers are its
 * own, because the bench counts all that they hold.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BenchIT {

    /** Skips the compiler that pays off after minutes. */
    private static final String QUICK = "jvm=-XX:TieredStopAtLevel=1";

    /** A slow machine has all requests of a load open at a time, and a client may have half of these. */
    private static final int ALL_AT_ONCE = 2 * 128;

    private static final int READS = 16;

    private static Servers servers;

    @BeforeAll
    static void start() {
        servers = Servers.own("bench-servers");
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @Test
    @Order(1)
    void everySideRunsEachOfItsWorkloads() throws Exception {
        Results results = new Bench(QUICK, "rounds=1", "warm-ups=0", "records=300", "few=100").run(servers);

        assertThat(results.started())
                .containsAll(SideCatalog.all().stream()
                        .map(SideSpec::name)
                        .filter(side -> !side.startsWith("kafkajs"))
                        .toList());
        for (SideSpec side : SideCatalog.all()) {
            for (String workload : results.started().contains(side.name()) ? side.workloads() : Set.<String>of()) {
                assertThat(results.figures(workload, side.name()).isEmpty()
                                && results.findings().stream()
                                        .noneMatch(finding -> finding.side().equals(side.name())))
                        .as("%s has a figure or a finding in %s", side.name(), workload)
                        .isFalse();
            }
        }
    }

    @Test
    @Order(2)
    void everyCommandLeavesItsRowItsRecordAndItsEffects() throws Exception {
        Map<String, Integer> commands = new CommandBench(
                        QUICK,
                        "rounds=1",
                        "warm-ups=50",
                        "rate=10",
                        "seconds=2",
                        "loads=10/s to the effect;100/s, readers stopped",
                        "runtime=server.tomcat.threads.max=%1$d,event-broker.http.max-waiting=%2$d,event-broker.http.max-publishing=%2$d"
                                .formatted(ALL_AT_ONCE + READS, ALL_AT_ONCE))
                .run(servers);

        assertThat(commands).containsEntry("yaml routes", 50 + 50 + 20 + 200).containsEntry("bare controller", 50);
    }

    /** Runs after the commands, whose counts would include its events. */
    @Test
    @Order(3)
    void everyRebuildFindsNoDifference() throws Exception {
        List<String> rows = new ReplayBench("sizes=200,400", "rebuilds=1", "warm-ups=0", "queries=10").run(servers);

        assertThat(rows).hasSize(2).allMatch(row -> Stream.of("| 200 |", "| 400 |")
                .anyMatch(row::startsWith));
    }

    @Test
    @Order(4)
    void everyWriteThroughTheFacadeLeavesItsIntentAndOutcomes() throws Exception {
        Map<String, Integer> requests =
                new FhirBench(QUICK, "rounds=1", "warm-ups=0", "requests=16", "stream=10").run(servers);

        int perSide = 2 * (16 + 32 + 4 + 4);
        assertThat(requests)
                .containsEntry("direct", perSide)
                .containsEntry("bare proxy", perSide)
                .containsEntry("direct again", perSide)
                .containsEntry("facade", perSide + 10);
    }

    @Test
    @Order(5)
    void countsEveryFailedCheckOfASide() throws Exception {
        String brokers = servers.properties().get("camel.component.kafka.brokers");
        Workload workload = new Workload("bench.wrong", 200, true, true);
        Transform transform = new Transform();
        try (Broker broker = new Broker(brokers);
                KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        Map.of("bootstrap.servers", brokers), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String topic : List.of("bench.wrong", "bench.wrong.dlq", "bench.wrong.sink")) {
                broker.create(topic, "CreateTime");
            }
            workload.fill(brokers);
            List<String> topics = List.of("bench.wrong.sink", "bench.wrong.dlq");
            Map<TopicPartition, Long> from = broker.ends(topics);
            List<ConsumerRecord<byte[], byte[]>> hot = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> message : TopicRecords.read(brokers, "bench.wrong")) {
                byte[] value = message.value();
                if (new String(message.key(), StandardCharsets.UTF_8).equals("k-hot")) {
                    hot.add(message);
                } else if (value[value.length - 1] == '}') {
                    value = transform.write(transform.read(value));
                    producer.send(new ProducerRecord<>("bench.wrong.sink", message.key(), value));
                } else {
                    value[value.length - 1]++;
                    producer.send(new ProducerRecord<>("bench.wrong.dlq", message.key(), value));
                }
            }
            // the first is lost, two change places, the last is written twice
            hot.remove(0);
            Collections.swap(hot, 0, 1);
            hot.add(hot.get(hot.size() - 1));
            for (ConsumerRecord<byte[], byte[]> message : hot) {
                byte[] value = transform.write(transform.read(message.value()));
                producer.send(new ProducerRecord<>("bench.wrong.sink", message.key(), value));
            }
            producer.flush();

            assertThat(workload.verify(brokers, "bench.wrong.sink", from, broker.ends(topics))
                            .findings())
                    .containsExactlyInAnyOrder(
                            "lost: 1 of 200",
                            "written twice: 1 of 200",
                            "order per key broken: 1 of 200",
                            "dead letter differs from its record: 2 of 200");
        }
    }
}
