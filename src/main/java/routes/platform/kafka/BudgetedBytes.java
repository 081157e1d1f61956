package routes.platform.kafka;

import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;

/** Keys and values as the bytes that they are, as far as the budget of the poll goes. Public because Kafka's client makes it. */
public final class BudgetedBytes implements Deserializer<byte[]> {

    private PollBudget budget;

    @Override
    public void configure(Map<String, ?> properties, boolean isKey) {
        budget = (PollBudget) properties.get(PollBudget.PROPERTY);
    }

    /** Before the bytes are copied, so that what is refused costs nothing. */
    @Override
    public byte[] deserialize(String topic, Headers headers, ByteBuffer data) {
        budget.take(headers, data.remaining());
        try {
            byte[] bytes = new byte[data.remaining()];
            // the client asks the buffer how many bytes there were, when it is back
            data.duplicate().get(bytes);
            return bytes;
        } catch (OutOfMemoryError e) {
            // an Error would make the client pass over the record; this it keeps, with the name of the partition
            throw new SerializationException("the record does not fit into memory", e);
        }
    }

    @Override
    public byte[] deserialize(String topic, byte[] data) {
        return data;
    }
}
