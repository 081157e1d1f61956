package routes.platform.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import routes.platform.error.FailureClassifier;

/**
 * One member of a consumer group: a thread that polls, pauses and commits, and does nothing that takes long. It polls on while records
 * are handled, so the slowest handler does not cost the membership. What is full is paused; it seeks only where a partition begins, and where a poll
 * has failed, for the client may have lost what it had read by then.
 */
final class GroupMember implements Runnable, ConsumerRebalanceListener {

    private static final Logger LOG = LoggerFactory.getLogger(GroupMember.class);

    /** Also the time that a stop takes at most when nothing is in flight. */
    private static final Duration IDLE = Duration.ofMillis(100);

    /** While a partition waits for room, so that it does not wait for long. */
    private static final Duration BUSY = Duration.ofMillis(5);

    private static final Duration LEAVE = Duration.ofMillis(500);

    /** An offset that no log reaches. */
    private static final long NO_RECORD = 1L << 60;

    private final String name;
    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final Function<PollBudget, Consumer<Object, Object>> clients;
    private final BiConsumer<Consumer<Object, Object>, ConsumerRebalanceListener> subscription;
    private final BiFunction<TopicPartition, OffsetAndMetadata, PartitionDispatcher> partitions;
    private final FetchPositions positions;
    private final Commits commits;

    private final Map<TopicPartition, PartitionDispatcher> works = new ConcurrentHashMap<>();
    private final PollBudget budget = new PollBudget();
    private final PollFaults faults = new PollFaults(this::readable, System::nanoTime);
    private Consumer<Object, Object> client;
    private long lastCommit;
    private boolean waitsForRoom;
    private long excess;
    private volatile boolean suspended;
    private volatile boolean stopping;
    private volatile long drainDeadline;
    private volatile Throwable failure;

    /**
     * @param timeout for what the broker is asked outside of a poll
     * @param partitions makes the work of a partition that begins at a commit, or null
     */
    GroupMember(
            String name,
            ConsumerSettings settings,
            FailureClassifier failures,
            Duration timeout,
            FetchPositions positions,
            Function<PollBudget, Consumer<Object, Object>> clients,
            BiConsumer<Consumer<Object, Object>, ConsumerRebalanceListener> subscription,
            BiFunction<TopicPartition, OffsetAndMetadata, PartitionDispatcher> partitions) {
        this.name = name;
        this.settings = settings;
        this.failures = failures;
        this.positions = positions;
        this.commits = new Commits(name, timeout, failures);
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
                report(e);
            }
            rest(attempts);
        }
    }

    private void report(Throwable e) {
        try {
            LOG.error("{}: starts again after {}: {}", name, failures.describe(e), failures.stack(e));
        } catch (Error full) {
            // with a full heap too, the thread has to go on; health shows the failure
            failure = full;
        }
    }

    /** @param deadline in nanoTime, until when exchanges in flight are waited for */
    void stop(long deadline) {
        drainDeadline = deadline;
        stopping = true;
    }

    /** Stays in the group, takes nothing, starts nothing. */
    synchronized void suspend() {
        suspended = true;
        works.values().forEach(PartitionDispatcher::suspend);
    }

    synchronized void resume() {
        suspended = false;
        works.values().forEach(PartitionDispatcher::resume);
    }

    Map<TopicPartition, PartitionDispatcher> works() {
        return works;
    }

    /** Why it cannot poll, or null. */
    Throwable failure() {
        return failure;
    }

    private void join() {
        client = clients.apply(budget);
        commits.join();
        subscription.accept(client, this);
    }

    private void step() throws Throwable {
        boolean commit =
                System.nanoTime() - lastCommit >= settings.commitInterval().toNanos();
        try {
            read();
            if (commit) {
                passOverGaps();
            }
        } catch (OffsetOutOfRangeException e) {
            positions.beyondTheLog(client, e).forEach(this::openAgain);
        } catch (NoOffsetForPartitionException e) {
            positions.begin(client, e.partitions());
        } catch (InterruptException e) {
            throw e;
        } catch (Throwable e) {
            failed(e);
        }
        works.values().forEach(PartitionDispatcher::retry);
        pauseAndResume();
        if (commit) {
            lastCommit = System.nanoTime();
            commits.start(client, works);
        }
    }

    private void read() {
        budget.begin(settings.pollBudget(Math.max(1, works.size()), excess));
        TopicPartition again = faults.triedAgain();
        if (again != null) {
            // the client keeps what it could not read, and would fail for it without looking at the log again; it only
            // looks at
            // this partition when no other has anything for this poll
            client.pause(client.assignment());
            client.resume(List.of(again));
            client.seek(again, works.get(again).next() + 1);
        }
        ConsumerRecords<Object, Object> records = client.poll(again != null ? Duration.ZERO : patience());
        for (TopicPartition partition : records.partitions()) {
            if (!partition.equals(again)) {
                works.get(partition).add(records.records(partition));
            }
        }
        if (again != null && works.containsKey(again)) {
            client.seek(again, works.get(again).next());
        }
        faults.succeeded(records.partitions(), client::currentLag, partition -> works.get(partition)
                .takesMore());
    }

    /** With everything finished, lag is 0, also where the log ends with the marker of a transaction. */
    private void passOverGaps() {
        works.forEach((partition, work) -> {
            try {
                work.reached(client.position(partition, Duration.ZERO));
            } catch (TimeoutException e) {
                LOG.debug("{}: the position of {} is not known yet", name, partition);
            }
        });
    }

    /** Reads again what the client had read in this poll, and finds out what cannot be read. */
    private void failed(Throwable failure) throws Throwable {
        if (stopping || !works.keySet().equals(client.assignment())) {
            throw failure;
        }
        if (failure instanceof Error) {
            discardBuffered();
        }
        Set<TopicPartition> unknown = new HashSet<>();
        works.forEach((partition, work) -> {
            if (work.next() == OffsetWindow.UNKNOWN) {
                unknown.add(partition);
            } else {
                client.seek(partition, work.next());
            }
        });
        if (!unknown.isEmpty()) {
            seek(unknown);
        }
        if (faults.failed(failure, works.keySet())) {
            LOG.warn(
                    "{}: a poll failed, looks for the partition: {}: {}",
                    name,
                    failures.describe(failure),
                    failures.stack(failure));
        }
    }

    /** After an Error the client can be behind a record that it has not handed out; it drops what does not fit its position. */
    private void discardBuffered() {
        works.keySet().forEach(partition -> client.seek(partition, NO_RECORD));
        client.poll(Duration.ZERO);
    }

    private void readable(TopicPartition partition, Throwable failure) {
        PartitionDispatcher work = works.get(partition);
        work.unreadable(
                failure == null ? null : new UnreadableException(work.next(), failures.describe(failure), failure));
    }

    private void pauseAndResume() {
        Set<TopicPartition> paused = client.paused();
        boolean all = faults.isNone();
        boolean waits = false;
        long beyond = 0;
        for (Map.Entry<TopicPartition, PartitionDispatcher> entry : works.entrySet()) {
            TopicPartition partition = entry.getKey();
            boolean takesMore = entry.getValue().takesMore();
            boolean may = all || faults.mayRead(partition);
            if (takesMore && may) {
                if (paused.contains(partition)) {
                    client.resume(List.of(partition));
                }
            } else if (!paused.contains(partition)) {
                client.pause(List.of(partition));
            }
            waits |= may && !takesMore;
            beyond += entry.getValue().excess();
        }
        waitsForRoom = waits && !suspended;
        excess = beyond;
    }

    private Duration patience() {
        return waitsForRoom || faults.isSearching() ? BUSY : IDLE;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
        assigned.forEach(partition -> open(partition, null));
        if (!assigned.isEmpty()) {
            try {
                seek(assigned).forEach(this::open);
            } catch (TimeoutException e) {
                LOG.info("{}: the broker does not say what is finished: some records may come again", name);
            }
        }
        works.values().forEach(work -> work.share(works.size()));
    }

    /** Goes to what is committed, or where a group begins. */
    private Map<TopicPartition, OffsetAndMetadata> seek(Collection<TopicPartition> to) {
        Map<TopicPartition, OffsetAndMetadata> committed = positions.committed(client, to);
        committed.forEach(client::seek);
        positions.begin(
                client,
                to.stream()
                        .filter(partition -> !committed.containsKey(partition))
                        .toList());
        return committed;
    }

    private void open(TopicPartition partition, OffsetAndMetadata committed) {
        PartitionDispatcher work = partitions.apply(partition, committed);
        commits.begin(partition, committed);
        synchronized (this) {
            if (suspended) {
                work.suspend();
            }
            works.put(partition, work);
        }
    }

    /** What was read until now, and what is committed, is of another log. */
    private void openAgain(TopicPartition partition) {
        works.get(partition).close();
        open(partition, null);
        commits.unknown(partition);
        works.get(partition).share(works.size());
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        finish(partitions, deadline());
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        forget(partitions);
    }

    private long deadline() {
        return stopping
                ? drainDeadline
                : System.nanoTime() + settings.drainTimeout().toNanos();
    }

    /** Waits for what runs, commits what is finished, and forgets the partitions. */
    private void finish(Collection<TopicPartition> partitions, long deadline) {
        List<PartitionDispatcher> going =
                partitions.stream().map(works::get).filter(work -> work != null).toList();
        try {
            going.forEach(PartitionDispatcher::suspend);
            for (PartitionDispatcher work : going) {
                work.drain(deadline);
            }
            commits.finish(client, partitions, works::get);
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
        faults.forget(partitions);
        commits.forget(partitions);
        for (TopicPartition partition : partitions) {
            PartitionDispatcher work = works.remove(partition);
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
        finish(works.keySet().stream().collect(Collectors.toSet()), deadline());
        try {
            client.close(LEAVE);
        } catch (RuntimeException e) {
            LOG.info("{}: closed with {}", name, e.getClass().getName());
        }
        client = null;
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
