package routes.platform.outbox;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;

/** Asks the brokers which topics exist and how large their records may be, and tracks which topics wait. */
final class TopicTracker {

    private static final int DEFAULT_MAX_MESSAGE_BYTES = 1048588;
    private static final int ADMIN_TIMEOUT_MS = 5000;

    private final Admin admin;
    private final LongSupplier clock;
    private final Map<String, TopicState> topics = new HashMap<>();

    TopicTracker(Admin admin, LongSupplier clock) {
        this.admin = admin;
        this.clock = clock;
    }

    /** The state of a topic that was checked before. */
    TopicState get(String name) {
        return topics.get(name);
    }

    /** Rows in flight, without those of stuck topics, so that they do not block other topics. */
    int inFlight() {
        return responsive().mapToInt(TopicState::inFlight).sum();
    }

    long inFlightBytes() {
        return responsive().mapToLong(TopicState::inFlightBytes).sum();
    }

    private Stream<TopicState> responsive() {
        return topics.values().stream().filter(topic -> !topic.isStuck());
    }

    /** Topics whose rows the relay does not read now. */
    Set<String> closed() {
        return topics.values().stream()
                .filter(TopicState::isClosed)
                .map(TopicState::name)
                .collect(Collectors.toSet());
    }

    /** Topics that wait, with the reason. */
    Map<String, String> waiting() {
        Map<String, String> waiting = new TreeMap<>();
        topics.forEach((name, topic) -> {
            if (topic.isUnavailable()) {
                waiting.put(name, topic.unavailableReason());
            } else if (topic.isStuck()) {
                waiting.put(name, "does not acknowledge");
            }
        });
        return waiting;
    }

    /**
     * Checks topics that are new here, or whose last check is a second old. Without a check, a missing topic would
     * block the producer, and every other topic with it.
     */
    void check(Set<String> names) {
        List<ConfigResource> asked = names.stream()
                .filter(name -> topics.computeIfAbsent(name, missing -> new TopicState(missing, clock))
                        .needsCheck())
                .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                .toList();
        if (asked.isEmpty()) {
            return;
        }
        Map<ConfigResource, KafkaFuture<Config>> answers = admin.describeConfigs(
                        asked, new DescribeConfigsOptions().timeoutMs(ADMIN_TIMEOUT_MS))
                .values();
        answers.forEach((resource, answer) -> update(topics.get(resource.name()), answer));
    }

    private static void update(TopicState topic, KafkaFuture<Config> answer) {
        try {
            var limit = answer.get(ADMIN_TIMEOUT_MS, TimeUnit.MILLISECONDS).get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
            topic.markAvailable(limit == null ? DEFAULT_MAX_MESSAGE_BYTES : Integer.parseInt(limit.value()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) {
                // the right to describe is missing, the right to write may not be
                topic.markAvailableWithUnknownLimit();
            } else {
                topic.markUnavailable((Exception) e.getCause());
            }
        } catch (TimeoutException e) {
            topic.markUnavailable(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            topic.markUnavailable(e);
        }
    }
}
