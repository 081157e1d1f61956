package bench;

import java.io.IOException;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;

/** Waits for each record, as the documentation's record listener does. So its producer does not linger. */
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
