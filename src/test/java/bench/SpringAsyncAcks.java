package bench;

import java.io.IOException;
import org.springframework.kafka.listener.AcknowledgingMessageListener;
import org.springframework.kafka.listener.ContainerProperties;

/** Acknowledges a record once the broker has acknowledged its answer, without waiting for it. */
final class SpringAsyncAcks extends SpringPeer {

    private SpringAsyncAcks(String brokers) {
        super(brokers, 5);
    }

    public static void main(String[] args) throws IOException {
        Side.serve(new SpringAsyncAcks(args[0]));
    }

    @Override
    void listen(ContainerProperties properties, String sink) {
        properties.setAckMode(ContainerProperties.AckMode.MANUAL);
        properties.setAsyncAcks(true);
        properties.setMessageListener((AcknowledgingMessageListener<byte[], byte[]>) (message, acknowledgment) ->
                template.send(sink, message.key(), answer(message)).thenRun(acknowledgment::acknowledge));
    }
}
