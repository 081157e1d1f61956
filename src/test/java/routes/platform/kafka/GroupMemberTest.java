package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.util.unit.DataSize;
import routes.platform.error.FailureClassifier;

/** A group member with a client whose failures no real broker produces on demand. */
class GroupMemberTest {

    private static final TopicPartition P0 = new TopicPartition("t", 0);
    private static final TopicPartition P1 = new TopicPartition("t", 1);

    private final ConsumerSettings settings = new ConsumerSettings(
            2,
            100,
            DataSize.ofMegabytes(1),
            3,
            Duration.ofMillis(1),
            Duration.ofMillis(5),
            Duration.ofMillis(1),
            Duration.ofSeconds(1));
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Client> clients = new CopyOnWriteArrayList<>();
    private final List<String> handled = new CopyOnWriteArrayList<>();
    private final FailureClassifier failures = new FailureClassifier();
    private final LostRecords lost = new LostRecords("g", Clock.systemUTC());
    private final GroupMember member = new GroupMember(
            "member",
            settings,
            failures,
            Duration.ofSeconds(1),
            new OffsetResetPolicy("earliest", lost, Duration.ofSeconds(1)),
            budget -> client(),
            (client, listener) -> client.subscribe(List.of("t"), listener),
            (partition, committed) -> new PartitionDispatcher(
                    partition.toString(),
                    committed,
                    settings,
                    0,
                    failures,
                    threads,
                    (messages, unknownFailures, done) -> {
                        messages.forEach(m -> handled.add(m.partition() + "-" + m.offset()));
                        return true;
                    },
                    System::nanoTime));

    @BeforeEach
    void start() {
        threads.execute(member);
        await().until(() -> !clients.isEmpty());
        assign(P0, P1);
        await().until(() -> member.dispatchers().size() == 2);
    }

    @AfterEach
    void stop() throws Exception {
        member.stop(System.nanoTime() + Duration.ofSeconds(1).toNanos());
        await().until(() -> latest().closed());
        threads.shutdown();
        assertThat(threads.awaitTermination(5, java.util.concurrent.TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void retriesAFailedCommit() {
        latest().commitFailures.add(new RetriableCommitFailedException("coordinator"));
        latest().commitFailures.add(new RebalanceInProgressException());
        add(P0, 0);

        await().untilAsserted(() -> assertThat(latest().accepted).containsEntry(P0, 1L));
        assertThat(latest().attempts).hasSizeGreaterThanOrEqualTo(3);
        assertThat(member.failure()).isNull();
    }

    @Test
    void continuesAfterARefusedLastCommitOfAPartition() {
        Client client = latest();
        client.refuseSync = true;
        client.commitFailures.addAll(List.of(new CommitFailedException(), new CommitFailedException()));
        add(P0, 0);
        await().until(() -> handled.contains("0-0"));
        assign(P1);
        await().until(() -> !member.dispatchers().containsKey(P0));
        add(P1, 0);

        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P1, 1L));
        assertThat(clients).hasSize(1);
    }

    @Test
    void forgetsLostPartitionsWithoutACommit() {
        Client client = latest();
        client.commitFailures.addAll(java.util.Collections.nCopies(1000, new RebalanceInProgressException()));
        add(P0, 0);
        await().until(() -> handled.contains("0-0"));
        client.schedulePollTask(() -> member.assignment().onPartitionsLost(Set.of(P0)));
        await().until(() -> !member.dispatchers().containsKey(P0));
        client.commitFailures.clear();
        add(P1, 0);

        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P1, 1L));
        assertThat(client.accepted).doesNotContainKey(P0);
        assertThat(client.syncs).isEmpty();
    }

    static List<Throwable> pollFailures() {
        return List.of(
                new WakeupException(),
                new KafkaException("Received exception when fetching the next record from t-0"),
                new OutOfMemoryError("of a test"),
                new StackOverflowError());
    }

    @ParameterizedTest
    @MethodSource("pollFailures")
    void showsWhyItCannotPollAndJoinsAgain(Throwable failure) {
        Client first = latest();
        List<Throwable> shown = new CopyOnWriteArrayList<>();
        first.whenClosed = () -> threads.execute(() -> {
            while (clients.size() == 1) {
                if (member.failure() != null) {
                    shown.add(member.failure());
                }
            }
        });
        first.failure = failure;
        await().until(() -> clients.size() == 2);
        assertThat(first.closed()).isTrue();
        assertThat(shown).contains(failure);

        assign(P0);
        await().until(() -> member.dispatchers().size() == 1);
        add(P0, 0);
        await().untilAsserted(() -> assertThat(latest().accepted).containsEntry(P0, 1L));
        assertThat(member.failure()).isNull();
    }

    @ParameterizedTest
    @MethodSource("pollFailures")
    void rereadsTheRecordsOfAFailedPoll(Throwable failure) {
        add(P0, 0);
        await().until(() -> handled.contains("0-0"));
        Client client = latest();
        client.failureAfterReading = failure;
        client.schedulePollTask(() -> client.addRecord(record(P0, 1)));
        await().until(() -> client.failureAfterReading == null);
        add(P0, 1);

        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P0, 2L));
        assertThat(clients).as("it has not left the group").hasSize(1);
    }

    static List<Throwable> partitionFailures() {
        return List.of(
                new KafkaException("Received exception when fetching the next record from t-0"),
                new RecordDeserializationException(P0, 0, "unreadable", null),
                new OutOfMemoryError("of a test"));
    }

    @ParameterizedTest
    @MethodSource("partitionFailures")
    void holdsAnUnreadablePartitionWhileOthersContinue(Throwable failure) {
        Client client = latest();
        client.updateEndOffsets(Map.of(P0, 10L, P1, 10L));
        client.why = failure;
        client.unreadable = P0;
        await().untilAsserted(() ->
                assertThat(member.dispatchers().get(P0).holdReason()).isPresent());
        add(P1, 0);

        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P1, 1L));
        assertThat(failures.describe(member.dispatchers().get(P0).holdReason().get()))
                .contains("cannot be read from")
                .contains(failure.getClass().getSimpleName());
        assertThat(member.dispatchers().get(P1).holdReason()).isEmpty();
        assertThat(member.failure()).isNull();
        assertThat(clients).as("it has not left the group").hasSize(1);

        client.unreadable = null;
        await().untilAsserted(() ->
                assertThat(member.dispatchers().get(P0).holdReason()).isEmpty());
        add(P0, 0);
        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P0, 1L));
    }

    @Test
    void holdsThePartitionsOfAForbiddenTopic() {
        Client client = latest();
        client.why = new TopicAuthorizationException(Set.of("t"));
        client.unreadable = P0;
        await().untilAsserted(() -> assertThat(member.dispatchers().values())
                .allMatch(dispatcher -> dispatcher.holdReason().isPresent()));
        assertThat(clients).hasSize(1);
        client.unreadable = null;
        await().untilAsserted(() -> assertThat(member.dispatchers().values())
                .allMatch(dispatcher -> dispatcher.holdReason().isEmpty()));
    }

    @Test
    void reportsRemovedRecordsAndContinues() {
        Client client = latest();
        client.schedulePollTask(() -> {
            client.updateBeginningOffsets(Map.of(P0, 5L));
            client.addRecord(record(P0, 5));
        });

        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P0, 6L));
        assertThat(lost.count()).isEqualTo(5);
        assertThat(lost.latest()).hasSize(1).allSatisfy((where, what) -> {
            assertThat(where).isEqualTo("group g, topic t, partition 0");
            assertThat(what).startsWith("offsets 0 to 4 were removed before they were read");
        });
        assertThat(clients).hasSize(1);
    }

    static List<OffsetOutOfRangeException> truncatedLogs() {
        return List.of(
                new OffsetOutOfRangeException(Map.of(P0, 3L)),
                new LogTruncationException(Map.of(P0, 3L), Map.of(P0, new OffsetAndMetadata(2))));
    }

    @ParameterizedTest
    @MethodSource("truncatedLogs")
    void readsATruncatedLogFromItsBeginning(OffsetOutOfRangeException cut) {
        Client client = latest();
        for (int i = 0; i < 3; i++) {
            add(P0, i);
        }
        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P0, 3L));
        client.schedulePollTask(() -> sneak(cut));
        add(P0, 0);

        await().untilAsserted(() -> assertThat(client.accepted).containsEntry(P0, 1L));
        assertThat(handled).containsExactly("0-0", "0-1", "0-2", "0-0");
        assertThat(lost.count()).isZero();
        assertThat(lost.latest().values())
                .singleElement()
                .asString()
                .startsWith("the log ends before offset 3 now, the group reads it again from 0");
    }

    @Test
    void commitsWithoutMetadataThatTheBrokerRefuses() {
        latest().commitFailures.add(new OffsetMetadataTooLarge("a short one"));
        add(P0, 0);

        await().untilAsserted(() -> assertThat(latest().accepted).containsEntry(P0, 1L));
    }

    private Client client() {
        Client client = new Client();
        clients.add(client);
        return client;
    }

    private Client latest() {
        return clients.get(clients.size() - 1);
    }

    private void assign(TopicPartition... partitions) {
        Client client = latest();
        client.schedulePollTask(() -> {
            client.rebalance(List.of(partitions));
            for (TopicPartition partition : partitions) {
                client.updateBeginningOffsets(Map.of(partition, 0L));
                client.updateEndOffsets(Map.of(partition, 0L));
            }
        });
    }

    private void add(TopicPartition partition, long offset) {
        Client client = latest();
        client.schedulePollTask(() -> client.addRecord(record(partition, offset)));
    }

    private static ConsumerRecord<Object, Object> record(TopicPartition partition, long offset) {
        return new ConsumerRecord<>(partition.topic(), partition.partition(), offset, "k", "v");
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable failure) throws T {
        throw (T) failure;
    }

    private static final class Client extends MockConsumer<Object, Object> {

        private final ConcurrentLinkedQueue<Exception> commitFailures = new ConcurrentLinkedQueue<>();
        private final Map<TopicPartition, Long> accepted = new java.util.concurrent.ConcurrentHashMap<>();
        private final List<Collection<TopicPartition>> attempts = new CopyOnWriteArrayList<>();
        private final List<Map<TopicPartition, OffsetAndMetadata>> syncs = new ArrayList<>();
        private volatile boolean refuseSync;

        /** Thrown by every poll. */
        private volatile Throwable failure;

        /** Thrown once, after a read whose records are lost. */
        private volatile Throwable failureAfterReading;

        private volatile TopicPartition unreadable;
        private volatile Throwable why;
        private volatile Runnable whenClosed = () -> {};

        private Client() {
            super(OffsetResetStrategy.EARLIEST);
        }

        @Override
        public synchronized ConsumerRecords<Object, Object> poll(Duration timeout) {
            if (failure != null) {
                sneak(failure);
            }
            // like the real client, which drops records that are not at its position
            if (unreadable != null
                    && assignment().contains(unreadable)
                    && !paused().contains(unreadable)
                    && position(unreadable) < Integer.MAX_VALUE) {
                sneak(why);
            }
            ConsumerRecords<Object, Object> records = super.poll(timeout);
            if (failureAfterReading != null && !records.isEmpty()) {
                Throwable once = failureAfterReading;
                failureAfterReading = null;
                sneak(once);
            }
            return records;
        }

        @Override
        public synchronized void commitAsync(
                Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
            attempts.add(offsets.keySet());
            Exception failure = commitFailures.poll();
            if (failure == null) {
                offsets.forEach((partition, offset) -> accepted.put(partition, offset.offset()));
            }
            callback.onComplete(offsets, failure);
        }

        @Override
        public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
            syncs.add(offsets);
            if (refuseSync) {
                throw new CommitFailedException("the group has rebalanced");
            }
            offsets.forEach((partition, offset) -> accepted.put(partition, offset.offset()));
        }

        @Override
        public void close(Duration timeout) {
            super.close(timeout);
            whenClosed.run();
        }
    }
}
