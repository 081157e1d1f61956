package routes.platform.kafka;

import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What is done with a record, or with a batch of them: the route. */
interface RecordHandler {

    /**
     * @param messages one, or a batch of one partition in its order, which takes effect as a whole or not at all
     * @param unknownFailures how often the first of them has failed for a reason that nobody has classified
     * @param done told the failure, or null; only when this returned false
     * @return whether the work is finished on return
     * @throws Exception when it is finished and has failed
     */
    boolean handle(List<ConsumerRecord<Object, Object>> messages, int unknownFailures, Consumer<Throwable> done)
            throws Exception;
}
