package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.ContainerProperties;
import routes.platform.error.ProblemException;

/** Sends all records of a poll, then waits for all of them. */
final class SpringBatch extends SpringPeer {

    private SpringBatch(String brokers) {
        super(brokers, 5);
    }

    public static void main(String[] args) throws IOException {
        Side.serve(new SpringBatch(args[0]));
    }

    @Override
    void listen(ContainerProperties properties, String sink) {
        properties.setMessageListener((BatchMessageListener<byte[], byte[]>) batch -> {
            List<CompletableFuture<?>> sent = new ArrayList<>(batch.size());
            for (ConsumerRecord<byte[], byte[]> message : batch) {
                try {
                    sent.add(template.send(sink, message.key(), answer(message)));
                } catch (ProblemException e) {
                    // commit the records before the poison message
                    await(sent);
                    throw new BatchListenerFailedException("poison", e, message);
                }
            }
            await(sent);
        });
    }

    private static void await(List<CompletableFuture<?>> sent) {
        CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).join();
    }
}
