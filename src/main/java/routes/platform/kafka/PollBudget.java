package routes.platform.kafka;

import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;

/**
 * Limits the bytes that one poll returns, while the client unpacks the records: a batch of 60 KB can hold 60 MB. It
 * refuses a record that does not fit. The client then returns the records before it, and begins the next poll with it.
 * The first record of a poll always fits, so that every record is read. Not thread-safe: only the polling thread may
 * call it.
 */
public final class PollBudget {

    /** The client property with the budget of a {@link BudgetedBytesDeserializer}. */
    public static final String PROPERTY = "event-broker.poll-budget";

    /** One instance for all, because every poll of a backlog throws it. */
    private static final SerializationException SPENT =
            new SerializationException("the record comes with the next poll");

    private long left = Long.MAX_VALUE;

    /** The headers of the first record: key and value of a record come one after the other, with the same headers. */
    private Headers first;

    private Headers current;

    /** @param bytes the most that the next poll returns, unless its first record is larger */
    public void reset(long bytes) {
        left = bytes;
        first = null;
        current = null;
    }

    /** @throws SerializationException when the record does not fit */
    void reserve(Headers headers, int bytes) {
        long size = headers == current ? bytes : bytes + RecordSize.withoutKeyAndValue(headers);
        if (first == null) {
            first = headers;
        }
        if (headers != first && size > left) {
            throw SPENT;
        }
        current = headers;
        left -= size;
    }
}
