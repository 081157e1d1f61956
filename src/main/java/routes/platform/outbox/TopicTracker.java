package routes.platform.outbox;

import java.time.Duration;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.Backoff;

/** What the relay knows of the topics that it sends to: what they take, what is under way to them, and which of them wait. */
final class TopicTracker {

    private static final Logger LOG = LoggerFactory.getLogger(TopicTracker.class);

    private static final int DEFAULT_MAX_MESSAGE_BYTES = 1048588;
    private static final int UNKNOWN = 0;
    private static final int ADMIN_TIMEOUT_MS = 5000;
    private static final long LOOK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(64));

    private final Admin admin;
    private final LongSupplier clock;
    private final Map<String, Topic> topics = new HashMap<>();

    TopicTracker(Admin admin, LongSupplier clock) {
        this.admin = admin;
        this.clock = clock;
    }

    /** One of them. Used by the relay's thread, and by none of the producer. */
    final class Topic {

        private final String name;
        private int limit;
        private long lookedAt;
        private boolean known;
        private int inFlight;
        private long bytes;
        private long progressAt;
        private String refusal;
        private long retryAt;
        private int refusals;

        private Topic(String name) {
            this.name = name;
        }

        /** Whether a row of that size may be more than it takes. */
        boolean mayRefuse(int bytes) {
            return bytes > limit;
        }

        /** Whether its rows go one by one, and one is under way. */
        boolean isBusy() {
            return limit != UNKNOWN && limit < OutboxSender.BATCH_BYTES && inFlight > 0;
        }

        boolean isRefused() {
            return refusal != null;
        }

        void sent(int size) {
            if (inFlight == 0) {
                progressAt = clock.getAsLong();
            }
            inFlight++;
            bytes += size;
        }

        void ended(int size) {
            inFlight--;
            bytes -= size;
            progressAt = clock.getAsLong();
        }

        void acknowledged() {
            if (refusals > 0 && refusal == null) {
                LOG.info("outbox: topic {} goes on", name);
                refusals = 0;
            }
        }

        /** After a row was refused; the next look comes later each time. */
        void refusedAgain(Exception failure) {
            if (refusal == null) {
                refuse(failure, BACKOFF.delay(refusals + 1).toNanos());
            }
        }

        /** Before a row was sent. */
        void refuse(Exception failure) {
            refuse(failure, LOOK_AGAIN_NANOS);
        }

        private void refuse(Exception failure, long delay) {
            if (refusals++ == 0) {
                LOG.warn("outbox: topic {} waits: {}", name, failure.getClass().getSimpleName());
            }
            refusal = failure.getClass().getSimpleName();
            retryAt = clock.getAsLong() + delay;
            known = false;
        }

        private void open(int takes) {
            limit = takes;
            known = true;
            lookedAt = clock.getAsLong();
            refusal = null;
        }

        private boolean isStuck(long now) {
            return inFlight > 0 && now - progressAt > STUCK_NANOS;
        }

        private boolean isClosed(long now) {
            return isStuck(now) || refusal != null && retryAt - now > 0;
        }
    }

    /** One that was looked at. */
    Topic get(String name) {
        return topics.get(name);
    }

    /** Rows under way; without those that a topic does not acknowledge for long, for others go on. */
    int inFlight() {
        return moving().mapToInt(topic -> topic.inFlight).sum();
    }

    /** The same in bytes. */
    long bytes() {
        return moving().mapToLong(topic -> topic.bytes).sum();
    }

    private Stream<Topic> moving() {
        long now = clock.getAsLong();
        return topics.values().stream().filter(topic -> !topic.isStuck(now));
    }

    /** Those whose rows are not to be read now. */
    Set<String> closed() {
        long now = clock.getAsLong();
        return topics.values().stream()
                .filter(topic -> topic.isClosed(now))
                .map(topic -> topic.name)
                .collect(Collectors.toSet());
    }

    /** Which wait, and why. */
    Map<String, String> waiting() {
        long now = clock.getAsLong();
        Map<String, String> waiting = new TreeMap<>();
        topics.forEach((name, topic) -> {
            if (topic.refusal != null) {
                waiting.put(name, topic.refusal);
            } else if (topic.isStuck(now)) {
                waiting.put(name, "does not acknowledge");
            }
        });
        return waiting;
    }

    /**
     * Asks the brokers for topics that are new here, or were looked at some time ago: a topic that does not exist would keep the producer
     * waiting, and all others with it.
     */
    void lookAt(Set<String> names) {
        long now = clock.getAsLong();
        List<ConfigResource> asked = names.stream()
                .filter(name -> {
                    Topic topic = topics.computeIfAbsent(name, Topic::new);
                    return !topic.known || now - topic.lookedAt > LOOK_AGAIN_NANOS;
                })
                .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                .toList();
        if (asked.isEmpty()) {
            return;
        }
        Map<ConfigResource, KafkaFuture<Config>> answers = admin.describeConfigs(
                        asked, new DescribeConfigsOptions().timeoutMs(ADMIN_TIMEOUT_MS))
                .values();
        answers.forEach((resource, answer) -> look(topics.get(resource.name()), answer));
    }

    private void look(Topic topic, KafkaFuture<Config> answer) {
        try {
            var limit = answer.get(ADMIN_TIMEOUT_MS, TimeUnit.MILLISECONDS).get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
            topic.open(limit == null ? DEFAULT_MAX_MESSAGE_BYTES : Integer.parseInt(limit.value()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof AuthorizationException) {
                // it may be written to all the same: then each row of a key waits for the one before
                topic.open(UNKNOWN);
            } else {
                topic.refuse((Exception) e.getCause());
            }
        } catch (TimeoutException e) {
            topic.refuse(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            topic.refuse(e);
        }
    }
}
