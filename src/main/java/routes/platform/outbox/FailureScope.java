package routes.platform.outbox;

import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Classifies what a failed send affects: one row, its topic, or the whole producer. */
enum FailureScope {
    ROW,
    TOPIC,
    PRODUCER;

    static FailureScope of(Exception failure) {
        if (failure instanceof RecordTooLargeException
                || failure instanceof RecordBatchTooLargeException
                || failure instanceof InvalidRecordException) {
            return ROW;
        }
        return failure instanceof TopicAuthorizationException
                        || failure instanceof InvalidTopicException
                        || failure instanceof UnknownTopicOrPartitionException
                ? TOPIC
                : PRODUCER;
    }
}
