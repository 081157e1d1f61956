package sandbox;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;

/**
 * One of three brokers, each of them a controller, too. Topics have three replicas, those of the brokers themselves included; so one broker
 * may be missing, and with two of them nothing can be written.
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
        // a quorum knows its voters beforehand, so these stay what they are at every start
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

    /** Of {@code min.insync.replicas} it has Kafka's own default, 1: what topics need is for the runtime to say. */
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
