package routes.platform.kafka;

import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Handles a record or a batch of records: the route. */
interface RecordHandler {

    /**
     * @param messages one record, or a batch of one partition in order, which takes effect as a whole or not at all
     * @param unknownFailures the number of unclassified failures of the first record so far
     * @param done gets the failure or null, when this method has returned false
     * @return whether the records are completed on return
     * @throws Exception when they are completed on return and have failed
     */
    boolean handle(List<ConsumerRecord<Object, Object>> messages, int unknownFailures, Consumer<Throwable> done)
            throws Exception;
}
