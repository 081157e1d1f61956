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
 * Which partitions wait for a record that cannot be finished, cannot be read, or have a dead letter that cannot be written, and why. Keys
 * that wait by themselves for anything else do not make it DOWN; neither do records that are lost, as waiting does not bring them back.
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
                held.add("group %s cannot read: %s".formatted(consumer.group(), failures.describe(member.failure())));
            }
            member.works().forEach((partition, work) -> work.trouble()
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
