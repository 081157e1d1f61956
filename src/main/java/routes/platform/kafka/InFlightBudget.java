package routes.platform.kafka;

/**
 * Counts the records of a partition in flight, and compares them with its share of its member's limits. Not
 * thread-safe.
 */
final class InFlightBudget {

    /**
     * The most records in the offset window, in shares. Completed ones cost only a number, but must fit into a commit.
     */
    private static final int MAX_WINDOW = 10;

    private final ConsumerSettings settings;
    private int share;
    private long byteShare;
    private int records;
    private long bytes;
    private boolean full;

    InFlightBudget(ConsumerSettings settings) {
        this.settings = settings;
        divideAmong(1);
    }

    void divideAmong(int partitions) {
        share = Math.max(1, settings.maxInFlight() / partitions);
        byteShare = settings.byteShare(partitions);
    }

    void add(OffsetWindow.Entry entry) {
        records++;
        bytes += entry.bytes();
    }

    void remove(OffsetWindow.Entry entry) {
        records--;
        bytes -= entry.bytes();
    }

    void clear() {
        records = 0;
        bytes = 0;
    }

    /**
     * Returns whether the share is used up. Once full, it stays full until half of it is completed, so that a poll does
     * not bring only a few records.
     *
     * @param window the number of records in the offset window, completed or not
     */
    boolean isFull(int window) {
        boolean tooMany = full ? records > share / 2 || bytes > byteShare / 2 : records >= share || bytes >= byteShare;
        full = tooMany || window >= (long) MAX_WINDOW * share;
        return full;
    }

    int records() {
        return records;
    }

    long bytes() {
        return bytes;
    }

    long bytesOverShare() {
        return Math.max(0, bytes - byteShare);
    }
}
