package bench;

import java.io.IOException;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;

/** The record listener of the documentation: it waits for each record, so the producer need not wait for more to send. */
final class SpringRecords extends SpringPeer {

    private SpringRecords(String brokers) {
        super(brokers, 0);
    }

    public static void main(String[] args) throws IOException {
        Side.serve(new SpringRecords(args[0]));
    }

    @Override
    void listen(ContainerProperties properties, String sink) {
        properties.setMessageListener((MessageListener<byte[], byte[]>)
                message -> template.send(sink, message.key(), answer(message)).join());
    }
}
