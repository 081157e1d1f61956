package routes.platform.kafka;

/** The records of a partition that are read and not finished, and its part of what its member may have. Not for several threads. */
final class InFlight {

    /** Finished records behind an unfinished one cost only a number, but not all of them fit into a commit. */
    private static final int WINDOW = 10;

    private final ConsumerSettings settings;
    private int share;
    private long byteShare;
    private int records;
    private long bytes;
    private boolean full;

    InFlight(ConsumerSettings settings) {
        this.settings = settings;
        share(1);
    }

    void share(int partitions) {
        share = Math.max(1, settings.maxInFlight() / partitions);
        byteShare = settings.byteShare(partitions);
    }

    void begin(OffsetWindow.Entry entry) {
        records++;
        bytes += entry.bytes();
    }

    void end(OffsetWindow.Entry entry) {
        records--;
        bytes -= entry.bytes();
    }

    void clear() {
        records = 0;
        bytes = 0;
    }

    /**
     * Once full, it is until half of it is done, or each poll would bring a few records.
     *
     * @param window finished or not, the records that are in memory in some form
     */
    boolean isFull(int window) {
        boolean tooMany = full ? records > share / 2 || bytes > byteShare / 2 : records >= share || bytes >= byteShare;
        full = tooMany || window >= (long) WINDOW * share;
        return full;
    }

    int records() {
        return records;
    }

    long bytes() {
        return bytes;
    }

    /** Bytes beyond its part. */
    long excess() {
        return Math.max(0, bytes - byteShare);
    }
}
