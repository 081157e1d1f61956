package routes.platform.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.Failures;

/**
 * One member of a consumer group: a thread that polls, pauses and commits, and does nothing that takes long. It polls on while records
 * are handled, so the slowest handler does not cost the membership. It seeks never: what is full is paused.
 */
final class Member implements Runnable, ConsumerRebalanceListener {

    private static final Logger LOG = LoggerFactory.getLogger(Member.class);

    /** Also the time that a stop takes at most when nothing is in flight. */
    private static final Duration IDLE = Duration.ofMillis(100);

    /** While a partition waits for room, so that it does not wait for long. */
    private static final Duration BUSY = Duration.ofMillis(5);

    private static final Duration LEAVE = Duration.ofMillis(500);

    private final String name;
    private final ConsumerSettings settings;
    private final Failures failures;
    private final Duration commitTimeout;
    private final Supplier<Consumer<Object, Object>> clients;
    private final BiConsumer<Consumer<Object, Object>, ConsumerRebalanceListener> subscription;
    private final Function<TopicPartition, PartitionWork> partitions;

    private final Map<TopicPartition, PartitionWork> works = new ConcurrentHashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> committed = new ConcurrentHashMap<>();
    private Consumer<Object, Object> client;
    private long lastCommit;
    private volatile boolean suspended;
    private volatile boolean stopping;
    private volatile long drainDeadline;
    private volatile long lag;
    private volatile Throwable failure;

    Member(
            String name,
            ConsumerSettings settings,
            Failures failures,
            Duration commitTimeout,
            Supplier<Consumer<Object, Object>> clients,
            BiConsumer<Consumer<Object, Object>, ConsumerRebalanceListener> subscription,
            Function<TopicPartition, PartitionWork> partitions) {
        this.name = name;
        this.settings = settings;
        this.failures = failures;
        this.commitTimeout = commitTimeout;
        this.clients = clients;
        this.subscription = subscription;
        this.partitions = partitions;
    }

    /** Whatever happens, errors included, it is seen in {@link #failure()} and the member starts again. */
    @Override
    public void run() {
        for (int attempts = 1; !stopping; attempts++) {
            try {
                try {
                    join();
                    while (!stopping) {
                        step();
                        attempts = 1;
                        failure = null;
                    }
                } finally {
                    leave();
                }
            } catch (Throwable e) {
                if (stopping) {
                    return;
                }
                failure = e;
                LOG.error("{}: starts again after {}: {}", name, failures.describe(e), failures.stack(e));
            }
            rest(attempts);
        }
    }

    /** @param deadline in nanoTime, until when exchanges in flight are waited for */
    void stop(long deadline) {
        drainDeadline = deadline;
        stopping = true;
    }

    /** Stays in the group, takes nothing, starts nothing. */
    void suspend() {
        suspended = true;
        works.values().forEach(PartitionWork::suspend);
    }

    void resume() {
        suspended = false;
        works.values().forEach(PartitionWork::resume);
    }

    Map<TopicPartition, PartitionWork> works() {
        return works;
    }

    /** Records behind what is finished, as far as known. */
    long lag() {
        return lag;
    }

    /** Why it cannot poll, or null. */
    Throwable failure() {
        return failure;
    }

    private void join() {
        client = clients.get();
        subscription.accept(client, this);
    }

    private void step() {
        ConsumerRecords<Object, Object> records = client.poll(client.paused().isEmpty() || suspended ? IDLE : BUSY);
        for (TopicPartition partition : records.partitions()) {
            works.get(partition).add(records.records(partition));
        }
        works.values().forEach(PartitionWork::retry);
        pauseAndResume();
        if (System.nanoTime() - lastCommit >= settings.commitInterval().toNanos()) {
            lastCommit = System.nanoTime();
            commit();
            lag = works.entrySet().stream()
                    .mapToLong(work -> lag(work.getKey(), work.getValue()))
                    .sum();
        }
    }

    private void pauseAndResume() {
        Set<TopicPartition> paused = client.paused();
        works.forEach((partition, work) -> {
            if (paused.contains(partition)) {
                if (!suspended && work.hold().isEmpty() && work.hasRoom()) {
                    client.resume(List.of(partition));
                }
            } else if (suspended || work.isFull() || work.hold().isPresent()) {
                client.pause(List.of(partition));
            }
        });
    }

    private long lag(TopicPartition partition, PartitionWork work) {
        OptionalLong behind = client.currentLag(partition);
        return behind.orElse(0) + work.inFlight();
    }

    private void commit() {
        Map<TopicPartition, OffsetAndMetadata> offsets = positions(works.keySet());
        if (!offsets.isEmpty()) {
            client.commitAsync(offsets, (done, error) -> {
                if (error == null) {
                    done.forEach((partition, offset) -> committed.computeIfPresent(partition, (p, old) -> offset));
                } else {
                    LOG.info("{}: commit failed, comes again: {}", name, failures.describe(error));
                }
            });
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> positions(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : partitions) {
            PartitionWork work = works.get(partition);
            OffsetAndMetadata position = work == null ? null : work.position();
            if (position != null && !position.equals(committed.get(partition))) {
                offsets.put(partition, position);
            }
        }
        return offsets;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
        for (TopicPartition partition : assigned) {
            PartitionWork work = partitions.apply(partition);
            if (suspended) {
                work.suspend();
            }
            committed.put(partition, new OffsetAndMetadata(0));
            works.put(partition, work);
        }
        works.values().forEach(work -> work.share(works.size()));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        long deadline = stopping
                ? drainDeadline
                : System.nanoTime() + settings.drainTimeout().toNanos();
        finish(partitions, deadline);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        forget(partitions);
    }

    /** Waits for what runs, commits what is finished, and forgets the partitions. */
    private void finish(Collection<TopicPartition> partitions, long deadline) {
        List<PartitionWork> going =
                partitions.stream().map(works::get).filter(work -> work != null).toList();
        try {
            going.forEach(PartitionWork::suspend);
            for (PartitionWork work : going) {
                work.drain(deadline);
            }
            Map<TopicPartition, OffsetAndMetadata> offsets = positions(partitions);
            if (!offsets.isEmpty()) {
                client.commitSync(offsets, commitTimeout);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.warn(
                    "{}: the last commit failed, records come again: {}",
                    name,
                    e.getClass().getName());
        } finally {
            forget(partitions);
        }
    }

    private void forget(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            PartitionWork work = works.remove(partition);
            committed.remove(partition);
            if (work != null) {
                work.close();
            }
        }
        works.values().forEach(work -> work.share(works.size()));
    }

    private void leave() {
        if (client == null) {
            return;
        }
        finish(
                works.keySet().stream().collect(Collectors.toSet()),
                stopping
                        ? drainDeadline
                        : System.nanoTime() + settings.drainTimeout().toNanos());
        try {
            client.close(LEAVE);
        } catch (RuntimeException e) {
            LOG.info("{}: closed with {}", name, e.getClass().getName());
        }
        client = null;
        lag = 0;
    }

    private void rest(int attempts) {
        long until = System.nanoTime()
                + settings.backoffNanos(attempts, ThreadLocalRandom.current().nextDouble());
        try {
            while (!stopping && System.nanoTime() - until < 0) {
                TimeUnit.MILLISECONDS.sleep(IDLE.toMillis());
            }
        } catch (InterruptedException e) {
            stopping = true;
        }
    }
}
