package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The offsets to commit of a partition, and their metadata after a crash. */
class OffsetWindowTest {

    private OffsetWindow window = new OffsetWindow(null);

    @Test
    void commitsBehindTheLongestCompletedRun() {
        List<OffsetWindow.Entry> entries = add(0, 1, 2, 3);
        assertThat(window.offsetToCommit().offset()).isZero();
        window.complete(entries.get(1));
        window.complete(entries.get(0));
        assertThat(window.offsetToCommit().offset()).isEqualTo(2);
        assertThat(window.offsetToCommit().leaderEpoch()).contains(7);
    }

    @Test
    void skipsGapsOnlyWhenAllRecordsAreCompleted() {
        List<OffsetWindow.Entry> entries = add(0, 4);
        window.complete(entries.get(0));
        window.skipGapsUpTo(6);
        assertThat(window.offsetToCommit().offset()).isEqualTo(1);
        window.complete(entries.get(1));
        assertThat(window.offsetToCommit().offset()).isEqualTo(5);
        window.skipGapsUpTo(6);
        assertThat(window.offsetToCommit().offset()).isEqualTo(6);
        assertThat(window.offsetToCommit().leaderEpoch())
                .as("of a marker it is not known")
                .isEmpty();
        assertThat(window.nextOffset()).isEqualTo(6);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void repeatsNoCompletedRecordAfterAnyCrash(int seed) {
        Random random = new Random(seed);
        BitSet handled = new BitSet();
        OffsetAndMetadata committed = null;
        while (handled.cardinality() < 2000) {
            window = new OffsetWindow(committed);
            long from = committed == null ? 0 : committed.offset();
            List<OffsetWindow.Entry> open = new ArrayList<>();
            for (long offset = from; offset < Math.min(2000, from + random.nextInt(600)); offset++) {
                OffsetWindow.Entry entry = window.add(record(offset), 0);
                assertThat(entry == null).isEqualTo(handled.get((int) offset));
                if (entry != null) {
                    open.add(entry);
                }
            }
            while (!open.isEmpty() && random.nextInt(50) > 0) {
                OffsetWindow.Entry entry = open.remove(random.nextInt(open.size()));
                window.complete(entry);
                handled.set((int) entry.offset());
            }
            committed = window.offsetToCommit();
        }
        assertThat(committed.offset()).isEqualTo(2000);
        assertThat(committed.metadata()).isEmpty();
    }

    @Test
    void keepsCompletedOffsetsUntilTheirRecordsReturn() {
        List<OffsetWindow.Entry> entries = add(0, 1, 2, 3, 4, 5);
        window.complete(entries.get(2));
        window.complete(entries.get(5));
        window = new OffsetWindow(new OffsetAndMetadata(0, CompletedOffsets.encode(0, bits(2, 5))));
        window.complete(add(0).get(0));
        assertThat(window.offsetToCommit().offset()).isEqualTo(1);
        assertThat(CompletedOffsets.decode(1, window.offsetToCommit().metadata()))
                .isEqualTo(bits(1, 4));
    }

    @Test
    void ignoresForeignMetadata() {
        for (String foreign : List.of(
                "",
                "a note",
                "finished-1:AAAA",
                "finished-2:",
                "finished-2:7:",
                "finished-2:7:%%%",
                "finished-2:7:AAAA")) {
            assertThat(CompletedOffsets.decode(7, foreign)).as(foreign).isEqualTo(new BitSet());
        }
        assertThat(CompletedOffsets.decode(7, null)).isEqualTo(new BitSet());
    }

    @Test
    void ignoresCompletedOffsetsOfAMovedGroup() {
        String text = CompletedOffsets.encode(1000, bits(3, 7));

        assertThat(CompletedOffsets.decode(1000, text)).isEqualTo(bits(3, 7));
        assertThat(CompletedOffsets.decode(940, text)).isEqualTo(new BitSet());
    }

    @Test
    void fitsAnyCompletedOffsetsIntoACommit() {
        Random random = new Random(1);
        for (double share : new double[] {0.001, 0.1, 0.5, 0.9, 0.999}) {
            BitSet finished = new BitSet();
            for (int i = 1; i < 40_000; i++) {
                finished.set(i, random.nextDouble() < share);
            }
            String text = CompletedOffsets.encode(1_000_000_000_000L, finished);
            assertThat(text.length()).isBetween(1, CompletedOffsets.MAX_CHARS);
            BitSet read = CompletedOffsets.decode(1_000_000_000_000L, text);
            System.out.printf(
                    "finished offsets: of 40000, %.3f finished: %d characters, %d of %d kept%n",
                    share, text.length(), read.cardinality(), finished.cardinality());
            assertThat(read.cardinality()).isGreaterThan(0);
            read.andNot(finished);
            assertThat(read.isEmpty()).as("nothing that is not finished").isTrue();
        }
    }

    @Test
    void takesNoMemoryForLargeGaps() {
        List<OffsetWindow.Entry> entries = add(0, 4_000_000_000L);
        window.complete(entries.get(1));
        window.complete(add(4_000_000_001L).get(0));
        window.skipGapsUpTo(0);
        assertThat(window.size()).isEqualTo(3);
        window.complete(entries.get(0));
        assertThat(window.offsetToCommit().offset()).isEqualTo(4_000_000_002L);
    }

    private List<OffsetWindow.Entry> add(long... offsets) {
        List<OffsetWindow.Entry> entries = new ArrayList<>();
        for (long offset : offsets) {
            entries.add(window.add(record(offset), 0));
        }
        return entries;
    }

    private static BitSet bits(int... ones) {
        BitSet bits = new BitSet();
        for (int one : ones) {
            bits.set(one);
        }
        return bits;
    }

    private static ConsumerRecord<Object, Object> record(long offset) {
        return new ConsumerRecord<>(
                "t", 0, offset, 0, TimestampType.CREATE_TIME, 1, 1, "k", "v", new RecordHeaders(), Optional.of(7));
    }
}
