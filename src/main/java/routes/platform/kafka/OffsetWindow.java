package routes.platform.kafka;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * Which offsets of a partition are read and which of them are finished, from the first unfinished one. What is committed is the position
 * behind the longest run of finished offsets, with the finished ones beyond it as metadata. Offsets that no record has (commit
 * markers, aborted records, what compaction removed) hold nothing up. Not for several threads.
 */
final class OffsetWindow {

    static final long UNKNOWN = -1;

    private final Deque<Entry> entries = new ArrayDeque<>();

    /** What was finished before this assignment, from the offset on that was committed then. */
    private final BitSet before;

    private final long beforeFrom;

    private long offset = UNKNOWN;
    private Optional<Integer> epoch = Optional.empty();
    private long next = UNKNOWN;
    private OffsetAndMetadata position;
    private boolean changed;

    /** @param committed where this assignment begins, or null when nothing is committed */
    OffsetWindow(OffsetAndMetadata committed) {
        if (committed != null) {
            offset = committed.offset();
            epoch = committed.leaderEpoch();
            next = offset;
            position = committed;
        }
        beforeFrom = offset;
        before = committed == null ? new BitSet() : FinishedOffsets.decode(committed.offset(), committed.metadata());
    }

    /** @return null when it was finished before this assignment */
    Entry add(ConsumerRecord<Object, Object> record, long now) {
        Entry entry = new Entry(record, now);
        if (offset == UNKNOWN) {
            offset = entry.offset;
            changed = true;
        }
        entries.add(entry);
        next = entry.offset + 1;
        if (wasFinished(entry.offset)) {
            finish(entry);
            return null;
        }
        return entry;
    }

    void finish(Entry entry) {
        entry.record = null;
        changed = true;
        while (!entries.isEmpty() && entries.peek().record == null) {
            Entry first = entries.poll();
            offset = first.offset + 1;
            epoch = first.epoch < 0 ? Optional.empty() : Optional.of(first.epoch);
        }
    }

    /** Passes over what the log has no record for, when everything up to there is finished. */
    void reached(long clientPosition) {
        next = Math.max(next, clientPosition);
        if (entries.isEmpty() && clientPosition > offset) {
            offset = clientPosition;
            epoch = Optional.empty();
            changed = true;
        }
    }

    /** Where a successor has to go on and what it need not do again, or null when nothing is known. */
    OffsetAndMetadata position() {
        if (changed) {
            position = new OffsetAndMetadata(offset, epoch, FinishedOffsets.encode(offset, finished()));
            changed = false;
        }
        return position;
    }

    /** Everything before this offset is finished; {@link #UNKNOWN} until something was read. */
    long finishedUpTo() {
        return offset;
    }

    /** The offset of the record that has to come next, or {@link #UNKNOWN}. */
    long next() {
        return next;
    }

    /** Finished or not, the records that are in memory in some form. */
    int size() {
        return entries.size();
    }

    Entry first() {
        return entries.peek();
    }

    void clear() {
        entries.clear();
    }

    private BitSet finished() {
        BitSet finished = new BitSet();
        for (Entry entry : entries) {
            if (entry.record == null) {
                mark(finished, entry.offset);
            }
        }
        // what was finished before and has not come again yet stays finished
        for (int i = before.length(); (i = before.previousSetBit(i - 1)) >= 0 && beforeFrom + i >= next; ) {
            mark(finished, beforeFrom + i);
        }
        return finished;
    }

    private void mark(BitSet finished, long one) {
        long distance = one - offset;
        if (distance >= 0 && distance < FinishedOffsets.MAX_DISTANCE) {
            finished.set((int) distance);
        }
    }

    private boolean wasFinished(long one) {
        long distance = one - beforeFrom;
        return distance >= 0 && distance < before.length() && before.get((int) distance);
    }

    /** A record; finished, only its offset. */
    static final class Entry {

        private final long offset;
        private final long bytes;
        private final long taken;
        private final int epoch;
        private ConsumerRecord<Object, Object> record;

        private Entry(ConsumerRecord<Object, Object> record, long taken) {
            this.record = record;
            this.taken = taken;
            offset = record.offset();
            epoch = record.leaderEpoch().orElse(-1);
            bytes = RecordSize.of(record);
        }

        long offset() {
            return offset;
        }

        long bytes() {
            return bytes;
        }

        long taken() {
            return taken;
        }

        /** Null when it is finished. */
        ConsumerRecord<Object, Object> record() {
            return record;
        }
    }
}
