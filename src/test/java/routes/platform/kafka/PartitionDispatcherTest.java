package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.util.unit.DataSize;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;

/** The dispatcher of a partition, with a clock and workers that the test drives by hand. */
class PartitionDispatcherTest {

    private static final Exception DOWN = new IOException("down");

    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final Map<Long, Consumer<Throwable>> running = new HashMap<>();
    private final Map<Long, String> keys = new HashMap<>();
    private final List<Long> started = new ArrayList<>();
    private final List<List<Long>> batches = new ArrayList<>();
    private long now;

    private final PartitionDispatcher work = work(0);

    private PartitionDispatcher work(int batch) {
        return work(batch, null);
    }

    private PartitionDispatcher work(int batch, OffsetAndMetadata committed) {
        return new PartitionDispatcher(
                "t partition 0, group g",
                committed,
                new ConsumerSettings(
                        8,
                        40,
                        DataSize.ofKilobytes(100),
                        3,
                        Duration.ofNanos(100),
                        Duration.ofNanos(1000),
                        Duration.ZERO,
                        Duration.ZERO),
                batch,
                new FailureClassifier(),
                tasks::add,
                (messages, unknownFailures, done) -> {
                    running.put(messages.get(0).offset(), done);
                    started.add(messages.get(0).offset());
                    batches.add(messages.stream().map(ConsumerRecord::offset).toList());
                    return false;
                },
                () -> now);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void commitsThePrefixAndKeepsOneInFlightPerKeyInAnyOrder(int seed) {
        Random random = new Random(seed);
        BitSet done = new BitSet();
        Map<String, Long> last = new HashMap<>();
        long next = 0;
        while (done.cardinality() < 2000) {
            now += random.nextInt(200);
            if (next < 2000 && work.acceptsRecords()) {
                work.dispatch(List.of(message(next, random.nextInt(10) == 0 ? null : "k" + random.nextInt(12), 10)));
                next++;
            }
            work.retryDue();
            runTasks();
            Set<String> inFlight = new HashSet<>();
            running.keySet().stream().map(keys::get).filter(k -> k != null).forEach(k -> assertThat(inFlight.add(k))
                    .isTrue());
            if (!running.isEmpty() && random.nextBoolean()) {
                List<Long> offsets = new ArrayList<>(running.keySet());
                long offset = offsets.get(random.nextInt(offsets.size()));
                boolean fails = random.nextInt(6) == 0;
                running.remove(offset).accept(fails ? DOWN : null);
                if (!fails) {
                    done.set((int) offset);
                    if (keys.get(offset) != null) {
                        assertThat(last.getOrDefault(keys.get(offset), -1L)).isLessThan(offset);
                        last.put(keys.get(offset), offset);
                    }
                }
            }
            long prefix = done.nextClearBit(0);
            assertThat(work.offsetToCommit() == null ? 0 : work.offsetToCommit().offset())
                    .isEqualTo(prefix);
            assertThat(work.windowSize()).isLessThanOrEqualTo(400);
            assertThat(work.inFlightRecords()).isEqualTo((int) next - done.cardinality());
        }
        assertThat(work.offsetToCommit().offset()).isEqualTo(2000);
        assertThat(work.heldKeys()).isZero();
        assertThat(work.windowSize()).isZero();
    }

    @Test
    void skipsOffsetsThatTheLogDoesNotHave() {
        work.dispatch(List.of(message(5, "a", 1), message(9, "b", 1)));
        runTasks();
        end(9, null);
        end(5, null);
        assertThat(work.offsetToCommit().offset()).isEqualTo(10);
        work.skipGapsUpTo(12);
        assertThat(work.offsetToCommit().offset()).as("behind a commit marker").isEqualTo(12);
    }

    @Test
    void holdsAndRetriesOnlyTheFailedKey() {
        work.dispatch(List.of(message(0, "a", 1), message(1, "a", 1), message(2, "b", 1)));
        runTasks();
        end(0, DOWN);
        end(2, null);
        assertThat(work.holdReason()).isEmpty();
        assertThat(work.heldKeys()).isEqualTo(1);

        work.retryDue();
        runTasks();
        assertThat(running).isEmpty();
        now += 100;
        work.retryDue();
        runTasks();
        assertThat(running).containsOnlyKeys(0L);
        end(0, null);
        runTasks();
        end(1, null);
        assertThat(work.offsetToCommit().offset()).isEqualTo(3);
        assertThat(work.heldKeys()).isZero();
    }

    @Test
    void holdsThePartitionBehindTooManyHeldKeys() {
        work.dispatch(List.of(message(0, "a", 1), message(1, "b", 1), message(2, "c", 1)));
        runTasks();
        List.of(0, 1, 2).forEach(offset -> end(offset, DOWN));
        work.dispatch(List.of(message(3, "d", 1)));
        runTasks();
        assertThat(running).isEmpty();
        assertThat(work.holdReason()).contains(DOWN);

        now += 100;
        work.retryDue();
        runTasks();
        end(0, null);
        runTasks();
        assertThat(work.holdReason()).isEqualTo(Optional.empty());
        assertThat(running).containsKey(3L);
    }

    @Test
    void isFullByCountBytesOrShare() {
        work.dispatch(List.of(message(0, "a", 60_000)));
        assertThat(work.acceptsRecords()).isFalse();
        runTasks();
        end(0, null);
        assertThat(work.acceptsRecords()).isTrue();
        work.divideBudgetAmong(20);
        work.dispatch(List.of(message(1, "a", 1), message(2, "a", 1)));
        assertThat(work.acceptsRecords()).isFalse();
    }

    @Test
    void isHeldWhileAHeldKeyFillsItsBudget() {
        List<ConsumerRecord<Object, Object>> messages = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            messages.add(message(i, i < 10 ? "k" + i : "held", 1));
        }
        work.dispatch(messages);
        runTasks();
        end(10, DOWN);
        assertThat(work.acceptsRecords()).isFalse();
        for (int i = 0; i < 10; i++) {
            end(i, null);
        }

        assertThat(work.acceptsRecords()).as("30 of 40 wait").isFalse();
        assertThat(work.holdReason()).contains(DOWN);
    }

    @Test
    void countsHeadersAndObjectsAsBytes() {
        ConsumerRecord<Object, Object> message = message(0, "a", 1);
        message.headers().add("h", new byte[60_000]);
        work.dispatch(List.of(message));

        assertThat(work.inFlightBytes()).isGreaterThan(60_000);
        assertThat(work.acceptsRecords()).isFalse();
    }

    @Test
    void skipsRecordsThatItsPredecessorCompleted() {
        work.dispatch(List.of(message(0, "a", 1), message(1, "b", 1), message(2, "c", 1), message(3, "a", 1)));
        runTasks();
        end(1, null);
        end(2, null);
        PartitionDispatcher successor = work(0, work.offsetToCommit());
        started.clear();
        successor.dispatch(List.of(message(0, "a", 1), message(1, "b", 1), message(2, "c", 1), message(3, "a", 1)));
        runTasks();

        assertThat(started).containsExactly(0L);
        assertThat(successor.inFlightRecords()).isEqualTo(2);
        end(0, null);
        runTasks();
        assertThat(successor.offsetToCommit().offset()).isEqualTo(3);
    }

    @Test
    void retriesAllHeldKeysWhenOneSucceeds() {
        work.dispatch(List.of(message(0, "a", 1), message(1, "b", 1)));
        runTasks();
        for (int i = 0; i < 4; i++) {
            end(0, DOWN);
            now += 1000;
            work.retryDue();
            runTasks();
        }
        end(1, DOWN);
        end(0, null);
        work.retryDue();
        runTasks();
        assertThat(running).containsOnlyKeys(1L);
    }

    @Test
    void halvesABatchUntilThePoisonIsAlone() {
        PartitionDispatcher inBatches = work(8);
        List<ConsumerRecord<Object, Object>> messages = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            messages.add(message(i, "k" + i % 5, 1));
        }
        inBatches.dispatch(messages);
        long poison = 5;
        List<Long> done = new ArrayList<>();
        tasks.poll().run();
        while (!running.isEmpty()) {
            assertThat(running).hasSize(1);
            List<Long> batch = batches.get(batches.size() - 1);
            boolean refused = batch.size() > 1 && batch.contains(poison);
            if (!refused) {
                done.addAll(batch);
            }
            end(batch.get(0), refused ? new ProblemException(400, "wrong") : null);
            assertThat(
                            inBatches.offsetToCommit() == null
                                    ? 0
                                    : inBatches.offsetToCommit().offset())
                    .isEqualTo(done.size());
            runTasks();
        }

        assertThat(done).hasSize(32).isSorted();
        assertThat(batches.stream().map(List::size)).containsExactly(8, 4, 8, 4, 2, 1, 2, 1, 2, 4, 8, 8, 4);
    }

    @Test
    void shrinksSlowBatchesAndGrowsFastOnes() {
        PartitionDispatcher inBatches = work(64);
        List<ConsumerRecord<Object, Object>> messages = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            messages.add(message(i, "k" + i % 5, 1));
        }
        inBatches.dispatch(messages);
        for (long took : new long[] {10, 10, 10, 10, 300, 300, 40, 10, 10}) {
            runTasks();
            now += took * 1_000_000;
            end(running.keySet().iterator().next(), null);
        }

        assertThat(batches.stream().map(List::size)).startsWith(8, 16, 32, 64, 64, 32, 16, 16, 32);
    }

    @Test
    void isolatesANamedPoisonMessageWithoutASearch() {
        PartitionDispatcher inBatches = work(8);
        List<ConsumerRecord<Object, Object>> messages = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            messages.add(message(i, "k" + i % 5, 1));
        }
        inBatches.dispatch(messages);
        runTasks();
        end(0, new FailedRecordInBatchException(5, new ProblemException(400, "wrong")));
        runTasks();
        end(0, null);
        runTasks();
        end(5, null);
        runTasks();
        end(6, new FailedRecordInBatchException(0, new ProblemException(400, "wrong")));
        runTasks();
        end(6, null);
        runTasks();
        end(7, null);
        runTasks();
        end(15, null);

        assertThat(batches.stream().map(List::size)).containsExactly(8, 5, 1, 8, 1, 8, 5);
        assertThat(inBatches.offsetToCommit().offset()).isEqualTo(20);
    }

    @Test
    void keepsABatchWholeWhileADependencyIsDown() {
        PartitionDispatcher inBatches = work(8);
        inBatches.dispatch(List.of(message(0, "a", 1), message(1, "b", 1)));
        runTasks();
        end(0, DOWN);
        assertThat(inBatches.holdReason()).contains(DOWN);
        now += 100;
        inBatches.retryDue();
        runTasks();
        end(0, null);
        assertThat(inBatches.holdReason()).isEmpty();
        assertThat(inBatches.offsetToCommit().offset()).isEqualTo(2);
        assertThat(batches).containsExactly(List.of(0L, 1L), List.of(0L, 1L));
    }

    @Test
    void handlesTheRecordsBeforeOneThatWaits() {
        PartitionDispatcher inBatches = work(8);
        inBatches.dispatch(List.of(message(0, "a", 1), message(1, "b", 1), message(2, "c", 1), message(3, "d", 1)));
        runTasks();
        end(0, new FailedRecordInBatchException(2, DOWN));
        runTasks();
        end(0, null);
        runTasks();
        end(2, new FailedRecordInBatchException(0, DOWN));
        assertThat(inBatches.offsetToCommit().offset()).isEqualTo(2);
        assertThat(inBatches.holdReason()).isPresent();
        now += 100;
        inBatches.retryDue();
        runTasks();
        end(2, null);
        runTasks();
        end(3, null);

        assertThat(batches)
                .containsExactly(List.of(0L, 1L, 2L, 3L), List.of(0L, 1L), List.of(2L), List.of(2L), List.of(3L));
        assertThat(inBatches.offsetToCommit().offset()).isEqualTo(4);
    }

    @Test
    void ignoresCompletionsAfterItsClose() throws Exception {
        work.dispatch(List.of(message(0, "a", 1), message(1, "b", 1)));
        runTasks();
        work.drain(now);
        end(0, null);
        work.close();
        end(1, null);
        runTasks();
        assertThat(work.offsetToCommit().offset()).isEqualTo(1);
        assertThat(started).containsExactly(0L, 1L);
    }

    private void end(long offset, Throwable failure) {
        running.remove(offset).accept(failure);
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.poll().run();
        }
    }

    private ConsumerRecord<Object, Object> message(long offset, String key, int bytes) {
        keys.put(offset, key);
        return new ConsumerRecord<>(
                "t",
                0,
                offset,
                0,
                TimestampType.CREATE_TIME,
                0,
                bytes,
                key == null ? null : key.getBytes(StandardCharsets.UTF_8),
                null,
                new RecordHeaders(),
                Optional.empty());
    }
}
