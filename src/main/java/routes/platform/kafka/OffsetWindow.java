package routes.platform.kafka;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * Tracks which offsets of a partition are read and which are completed. The offset to commit is the one after the
 * unbroken run of completed offsets; its metadata has the completed offsets beyond it. Offsets without a record (commit
 * markers, aborted records, compacted records) do not delay a commit. Not thread-safe.
 */
final class OffsetWindow {

    static final long UNKNOWN = -1;

    private final Deque<Entry> entries = new ArrayDeque<>();

    /** Offsets that were completed before this assignment; bit i stands for the offset {@code beforeFrom + i}. */
    private final BitSet before;

    private final long beforeFrom;

    private long offset = UNKNOWN;
    private Optional<Integer> epoch = Optional.empty();
    private long next = UNKNOWN;
    private OffsetAndMetadata toCommit;
    private boolean changed;

    /** @param committed where this assignment begins, or null when the group has committed nothing */
    OffsetWindow(OffsetAndMetadata committed) {
        if (committed != null) {
            offset = committed.offset();
            epoch = committed.leaderEpoch();
            next = offset;
            toCommit = committed;
        }
        beforeFrom = offset;
        before = committed == null ? new BitSet() : CompletedOffsets.decode(committed.offset(), committed.metadata());
    }

    /** @return null when the record was completed before this assignment */
    Entry add(ConsumerRecord<Object, Object> record, long now) {
        Entry entry = new Entry(record, now);
        if (offset == UNKNOWN) {
            offset = entry.offset;
            changed = true;
        }
        entries.add(entry);
        next = entry.offset + 1;
        if (wasCompleted(entry.offset)) {
            complete(entry);
            return null;
        }
        return entry;
    }

    void complete(Entry entry) {
        entry.record = null;
        changed = true;
        while (!entries.isEmpty() && entries.peek().record == null) {
            Entry first = entries.poll();
            offset = first.offset + 1;
            epoch = first.epoch < 0 ? Optional.empty() : Optional.of(first.epoch);
        }
    }

    /** Passes over offsets without a record, once all records before them are completed. */
    void skipGapsUpTo(long clientPosition) {
        next = Math.max(next, clientPosition);
        if (entries.isEmpty() && clientPosition > offset) {
            offset = clientPosition;
            epoch = Optional.empty();
            changed = true;
        }
    }

    /** Returns where a successor begins, with the offsets that it skips as metadata; null when nothing is known. */
    OffsetAndMetadata offsetToCommit() {
        if (changed) {
            toCommit = new OffsetAndMetadata(offset, epoch, CompletedOffsets.encode(offset, completed()));
            changed = false;
        }
        return toCommit;
    }

    /** All records before this offset are completed; {@link #UNKNOWN} before the first record. */
    long completedUpTo() {
        return offset;
    }

    /** Returns the offset to read next, or {@link #UNKNOWN}. */
    long nextOffset() {
        return next;
    }

    /** Returns the number of tracked records, completed or not. */
    int size() {
        return entries.size();
    }

    /** Returns the oldest record that is not completed, or null. */
    Entry first() {
        return entries.peek();
    }

    void clear() {
        entries.clear();
    }

    private BitSet completed() {
        BitSet completed = new BitSet();
        for (Entry entry : entries) {
            if (entry.record == null) {
                mark(completed, entry.offset);
            }
        }
        // an offset that was completed before stays completed until its record is read again
        for (int i = before.length(); (i = before.previousSetBit(i - 1)) >= 0 && beforeFrom + i >= next; ) {
            mark(completed, beforeFrom + i);
        }
        return completed;
    }

    private void mark(BitSet completed, long one) {
        long distance = one - offset;
        if (distance >= 0 && distance < CompletedOffsets.MAX_DISTANCE) {
            completed.set((int) distance);
        }
    }

    private boolean wasCompleted(long one) {
        long distance = one - beforeFrom;
        return distance >= 0 && distance < before.length() && before.get((int) distance);
    }

    /** A record; once it is completed, only its offset. */
    static final class Entry {

        private final long offset;
        private final long bytes;
        private final long readAt;
        private final int epoch;
        private ConsumerRecord<Object, Object> record;

        private Entry(ConsumerRecord<Object, Object> record, long readAt) {
            this.record = record;
            this.readAt = readAt;
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

        /** Returns the time of its poll, in nanoseconds. */
        long readAt() {
            return readAt;
        }

        /** Returns null when it is completed. */
        ConsumerRecord<Object, Object> record() {
            return record;
        }
    }
}
