package sandbox;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;

/**
 * Runs one of three brokers, each of them a controller too. All topics have three replicas. With one broker down,
 * writes go on; with two down, they fail.
 */
final class ClusteredKafkaServer extends KafkaServer {

    private static final int SIZE = 3;

    private final String clusterId;
    private final int node;
    private final List<Integer> controllerPorts;

    private ClusteredKafkaServer(MavenArtifacts artifacts, String clusterId, int node, List<Integer> controllerPorts) {
        super(artifacts);
        this.clusterId = clusterId;
        this.node = node;
        this.controllerPorts = controllerPorts;
    }

    static List<KafkaServer> cluster(MavenArtifacts artifacts) {
        String clusterId = Uuid.randomUuid().toString();
        // a quorum has fixed voters, so these ports stay the same at every start
        var ports = Ports.freeForInternalUse();
        List<Integer> controllerPorts =
                IntStream.range(0, SIZE).mapToObj(n -> ports.next()).toList();
        return IntStream.rangeClosed(1, SIZE)
                .<KafkaServer>mapToObj(node -> new ClusteredKafkaServer(artifacts, clusterId, node, controllerPorts))
                .toList();
    }

    @Override
    public String name() {
        return NAME + "-" + node;
    }

    @Override
    String clusterId() {
        return clusterId;
    }

    @Override
    int node() {
        return node;
    }

    @Override
    List<Integer> controllerPorts() {
        return controllerPorts;
    }

    /** Leaves {@code min.insync.replicas} at Kafka's default, 1: the runtime sets it per topic. */
    @Override
    Map<String, String> furtherConfiguration(String listeners, String advertised) {
        String replicas = Integer.toString(SIZE);
        String inSync = Integer.toString(SIZE - 1);
        return Map.of(
                "default.replication.factor", replicas,
                "offsets.topic.replication.factor", replicas,
                "transaction.state.log.replication.factor", replicas,
                "transaction.state.log.min.isr", inSync,
                "share.coordinator.state.topic.replication.factor", replicas,
                "share.coordinator.state.topic.min.isr", inSync);
    }
}
