package routes.platform.kafka;

import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;

/**
 * How many bytes one poll may bring, counted while the client unpacks the records. A batch of 60 KB can hold 60 MB; the client would
 * return all of it. A record that does not fit is refused: the client then returns those before it, keeps this one, and begins the
 * next poll with it. The first record of a poll always fits, or it would never come. Only for the thread that polls.
 */
public final class PollBudget {

    /** The property of a client whose deserializers are {@link BudgetedBytes}. */
    public static final String PROPERTY = "event-broker.poll-budget";

    /** Without a stack, as it is thrown in every poll of a backlog. */
    private static final SerializationException SPENT =
            new SerializationException("the record comes with the next poll");

    private long left = Long.MAX_VALUE;

    /** Key and value of a record come one after the other, with the same headers. */
    private Headers first;

    private Headers current;

    /** @param bytes that the next poll may bring, or one record when that is larger */
    public void begin(long bytes) {
        left = bytes;
        first = null;
        current = null;
    }

    /** @throws SerializationException when it does not fit */
    void take(Headers headers, int bytes) {
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
