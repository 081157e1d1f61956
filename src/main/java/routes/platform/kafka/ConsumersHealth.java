package routes.platform.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;
import org.springframework.stereotype.Component;
import routes.platform.error.FailureClassifier;

/**
 * Reports DOWN with the partitions that are held or unreadable, or that have a dead letter which cannot be written, and
 * why. Single held keys do not make it DOWN. Nor do lost records, because waiting does not bring them back.
 */
@Component("consumers")
class ConsumersHealth extends AbstractHealthIndicator {

    private final PipelinedKafkaComponent kafka;
    private final FailureClassifier failures;

    ConsumersHealth(PipelinedKafkaComponent kafka, FailureClassifier failures) {
        this.kafka = kafka;
        this.failures = failures;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        List<String> held = new ArrayList<>();
        Map<String, String> lost = new TreeMap<>();
        kafka.running().forEach(consumer -> lost.putAll(consumer.lost().latest()));
        kafka.running().forEach(consumer -> consumer.members().forEach(member -> {
            if (member.failure() != null) {
                held.add("group %s cannot poll: %s".formatted(consumer.group(), failures.describe(member.failure())));
            }
            member.dispatchers().forEach((partition, dispatcher) -> dispatcher
                    .blockingFailure()
                    .ifPresent(failure -> held.add("group %s, topic %s, partition %d: %s"
                            .formatted(
                                    consumer.group(),
                                    partition.topic(),
                                    partition.partition(),
                                    failures.describe(failure)))));
        }));
        builder.status(held.isEmpty() ? "UP" : "DOWN");
        if (!held.isEmpty()) {
            builder.withDetail("held", held);
        }
        if (!lost.isEmpty()) {
            builder.withDetail("lost", lost);
        }
    }
}
