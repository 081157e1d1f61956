package routes.platform.health;

import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;
import routes.platform.contract.TopicProvisioner;

/** Checks that the brokers answer, and reports topics that differ from the contract. */
@Component("kafkaHealthIndicator") // "kafka" is Camel's component
class KafkaHealth extends AbstractHealthIndicator {

    private static final int TIMEOUT_MS = 2000;

    private final Admin admin;
    private final TopicProvisioner topics;

    KafkaHealth(Admin admin, TopicProvisioner topics) {
        super("the brokers do not answer");
        this.admin = admin;
        this.topics = topics;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) throws Exception {
        int nodes = admin.describeCluster(new DescribeClusterOptions().timeoutMs(TIMEOUT_MS))
                .nodes()
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                .size();
        builder.up().withDetail("brokers", nodes);
        if (!topics.drift().isEmpty()) {
            builder.withDetail("drift", topics.drift());
        }
    }
}
