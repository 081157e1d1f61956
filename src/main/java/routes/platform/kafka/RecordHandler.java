package routes.platform.kafka;

import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What is done with a record: the route. */
interface RecordHandler {

    /**
     * @param done told the failure, or null; only when this returned false
     * @return whether the record is finished on return
     * @throws Exception when it is finished and has failed
     */
    boolean handle(ConsumerRecord<Object, Object> message, Consumer<Throwable> done) throws Exception;
}
