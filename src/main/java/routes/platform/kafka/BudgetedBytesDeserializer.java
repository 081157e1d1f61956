package routes.platform.kafka;

import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;

/** Returns keys and values as bytes, within the budget of the poll. Public because Kafka's client instantiates it. */
public final class BudgetedBytesDeserializer implements Deserializer<byte[]> {

    private PollBudget budget;

    @Override
    public void configure(Map<String, ?> properties, boolean isKey) {
        budget = (PollBudget) properties.get(PollBudget.PROPERTY);
    }

    /** Reserves the bytes before it copies them, so that a refused record costs nothing. */
    @Override
    public byte[] deserialize(String topic, Headers headers, ByteBuffer data) {
        budget.reserve(headers, data.remaining());
        try {
            byte[] bytes = new byte[data.remaining()];
            // a duplicate, because the client reads the size from the buffer afterwards
            data.duplicate().get(bytes);
            return bytes;
        } catch (OutOfMemoryError e) {
            // an Error would make the client pass over the record; with this it keeps it, and names the partition
            throw new SerializationException("the record does not fit into memory", e);
        }
    }

    @Override
    public byte[] deserialize(String topic, byte[] data) {
        return data;
    }
}
