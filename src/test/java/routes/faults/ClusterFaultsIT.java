package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.faults.Load.CREATED;
import static routes.faults.Load.UPDATED;

import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import sandbox.ServerProcess;
import sandbox.Servers;

/** Checks the delivery promise on three brokers while some of them are down. */
@Tag("faults")
class ClusterFaultsIT extends DeliveryFaults {

    private static final int RATE = 100;
    private static final int FURTHER = 300;
    private static final int OUTAGE_SECONDS = 30;

    @BeforeAll
    static void startServers() throws Exception {
        start(Servers.cluster("cluster-faults-servers"));
    }

    @Test
    void aRecordThatIsAcknowledgedIsOnTwoBrokers() throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, CREATED);
        ConfigEntry inSync =
                admin.describeConfigs(List.of(topic)).all().get().get(topic).get("min.insync.replicas");

        assertThat(admin.describeTopics(List.of(CREATED))
                        .allTopicNames()
                        .get()
                        .get(CREATED)
                        .partitions())
                .allSatisfy(partition -> assertThat(partition.replicas()).hasSize(3));
        assertThat(inSync.value()).isEqualTo("2");
        assertThat(inSync.source()).isEqualTo(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
    }

    @Test
    void oneOfThreeBrokersKilled() throws Exception {
        instance();
        instance();
        ServerProcess broker = servers.brokers().get(new Random().nextInt(3));
        try (Load load = new Load("one-broker", brokers).start(RATE)) {
            outcome.awaitEffects(load, FURTHER);
            broker.kill();
            outcome.awaitEffects(load, FURTHER);
            broker.start();
            awaitInSync();
            outcome.awaitEffects(load, FURTHER);
            outcome.verify("one of three brokers kill -9 and restart", load);
        }
    }

    @Test
    void allBrokersRestartedInTurn() throws Exception {
        instance();
        instance();
        try (Load load = new Load("brokers-in-turn", brokers).start(RATE)) {
            outcome.awaitEffects(load, FURTHER);
            for (ServerProcess broker : servers.brokers()) {
                broker.stopPatiently();
                outcome.awaitEffects(load, FURTHER);
                broker.start();
                awaitInSync();
            }
            outcome.awaitEffects(load, FURTHER);
            outcome.verify("all three brokers restarted in turn", load);
        }
    }

    @Test
    void twoOfThreeBrokersDown() throws Exception {
        instance();
        instance();
        List<ServerProcess> two = servers.brokers().subList(1, 3);
        try (Load load = new Load("two-brokers", brokers).start(RATE)) {
            outcome.awaitEffects(load, FURTHER);
            two.forEach(ServerProcess::kill);
            TimeUnit.SECONDS.sleep(OUTAGE_SECONDS);
            startTogether(two);
            awaitInSync();
            outcome.awaitEffects(load, FURTHER);
            outcome.verify("two of three brokers down %d s".formatted(OUTAGE_SECONDS), load);
        }
    }

    /** Starts the brokers together, because one alone would wait for another. */
    private static void startTogether(List<ServerProcess> brokers) throws Exception {
        ExecutorService starting = Executors.newCachedThreadPool();
        try {
            for (Future<?> started : brokers.stream()
                    .map(broker -> starting.submit(broker::start))
                    .toList()) {
                started.get();
            }
        } finally {
            starting.shutdownNow();
        }
    }

    private static void awaitInSync() {
        Patience.await()
                .ignoreExceptions()
                .until(() -> admin.describeTopics(List.of(CREATED, UPDATED)).allTopicNames().get().values().stream()
                        .flatMap(topic -> topic.partitions().stream())
                        .allMatch(partition -> partition.isr().size() == 3));
    }
}
