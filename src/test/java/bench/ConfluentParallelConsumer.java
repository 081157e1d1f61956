package bench;

import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import io.confluent.parallelconsumer.PollContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import routes.platform.error.ProblemException;

/**
 * Runs Confluent's Parallel Consumer, ordered by key. It has no dead letters, so the function sends poison messages to
 * their topic.
 */
final class ConfluentParallelConsumer implements Side {

    private static final int THREADS = 16;
    private static final int BATCH = 100;

    private final String brokers;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Transform transform = new Transform();
    private ParallelStreamProcessor<byte[], byte[]> processor;

    private ConfluentParallelConsumer(String brokers) {
        this.brokers = brokers;
        producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers", brokers,
                        "acks", "all",
                        "enable.idempotence", "true",
                        "linger.ms", "5",
                        "batch.size", "131072",
                        "buffer.memory", "67108864"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    public static void main(String[] args) throws IOException {
        Side.serve(new ConfluentParallelConsumer(args[0]));
    }

    @Override
    public void start(String source, String sink, String group) {
        processor = ParallelStreamProcessor.createEosStreamProcessor(ParallelConsumerOptions.<byte[], byte[]>builder()
                .consumer(new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers", brokers,
                                "group.id", group,
                                "enable.auto.commit", "false",
                                "auto.offset.reset", "earliest",
                                "max.poll.records", "2000"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer()))
                .ordering(ProcessingOrder.KEY)
                .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
                .commitInterval(Duration.ofMillis(500))
                .maxConcurrency(THREADS)
                .batchSize(BATCH)
                .build());
        processor.subscribe(List.of(source));
        processor.poll(batch -> handle(batch, sink));
    }

    private void handle(PollContext<byte[], byte[]> batch, String sink) {
        List<Future<?>> sent = new ArrayList<>(BATCH);
        for (ConsumerRecord<byte[], byte[]> message : batch.getConsumerRecordsFlattened()) {
            sent.add(producer.send(answer(message, sink)));
        }
        try {
            for (Future<?> one : sent) {
                one.get();
            }
        } catch (Exception e) {
            // the consumer retries all of them
            throw new IllegalStateException(e);
        }
    }

    private ProducerRecord<byte[], byte[]> answer(ConsumerRecord<byte[], byte[]> message, String sink) {
        try {
            return new ProducerRecord<>(sink, message.key(), transform.write(transform.read(message.value())));
        } catch (ProblemException e) {
            ProducerRecord<byte[], byte[]> letter =
                    new ProducerRecord<>(message.topic() + ".dlq", message.key(), message.value());
            letter.headers().add("error-message", e.getMessage().getBytes(StandardCharsets.UTF_8));
            return letter;
        }
    }

    @Override
    public void stop() {
        processor.closeDrainFirst();
    }
}
