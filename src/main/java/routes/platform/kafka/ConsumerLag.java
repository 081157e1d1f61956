package routes.platform.kafka;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Computes the lag of a consumer from the end offsets that the brokers report. A client does not know them: it fetches
 * nothing of a paused partition, and does not see behind an open transaction.
 */
final class ConsumerLag {

    private static final Logger LOG = LoggerFactory.getLogger(ConsumerLag.class);

    private static final long KEEP_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int TIMEOUT_MS = 2000;

    private final Supplier<Admin> admin;
    private final Supplier<Stream<PipelinedConsumer>> running;
    private Map<TopicPartition, Long> ends = Map.of();
    private Long askedAt;

    /** @param running the consumers of this instance: one request asks for the end offsets of all */
    ConsumerLag(Supplier<Admin> admin, Supplier<Stream<PipelinedConsumer>> running) {
        this.admin = admin;
        this.running = running;
    }

    /**
     * Returns the records that are not completed, at most some seconds old, or as last known while no broker answers.
     */
    long of(PipelinedConsumer consumer) {
        Map<TopicPartition, Long> known = ends();
        return dispatchers(consumer)
                .filter(entry ->
                        known.containsKey(entry.getKey()) && entry.getValue().completedUpTo() != OffsetWindow.UNKNOWN)
                .mapToLong(entry ->
                        Math.max(0, known.get(entry.getKey()) - entry.getValue().completedUpTo()))
                .sum();
    }

    private static Stream<Map.Entry<TopicPartition, PartitionDispatcher>> dispatchers(PipelinedConsumer consumer) {
        return consumer.members().stream().flatMap(member -> member.dispatchers().entrySet().stream());
    }

    /** Asks once for all gauges of a scrape. */
    private synchronized Map<TopicPartition, Long> ends() {
        if (askedAt == null || System.nanoTime() - askedAt > KEEP_NANOS) {
            try {
                ends = ask(running.get()
                        .flatMap(ConsumerLag::dispatchers)
                        .map(Map.Entry::getKey)
                        .collect(Collectors.toSet()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException | TimeoutException | KafkaException e) {
                LOG.debug("the brokers do not return the end offsets", e);
            }
            askedAt = System.nanoTime();
        }
        return ends;
    }

    private Map<TopicPartition, Long> ask(Set<TopicPartition> partitions)
            throws ExecutionException, InterruptedException, TimeoutException {
        return admin
                .get()
                .listOffsets(
                        partitions.stream().collect(Collectors.toMap(Function.identity(), p -> OffsetSpec.latest())),
                        new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED).timeoutMs(TIMEOUT_MS))
                .all()
                .get(TIMEOUT_MS, TimeUnit.MILLISECONDS)
                .entrySet()
                .stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, end -> end.getValue().offset()));
    }
}
