package bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import routes.platform.error.ProblemException;

/**
 * Uses Kafka's clients by hand, as fast as possible. It sends the records of a poll without waiting. It commits their
 * offsets once these and all earlier records are acknowledged. Poison messages go to {@code <source>.dlq}.
 */
final class RawLoop extends HandWrittenLoop {

    private static final long COMMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Map<String, Object> consumerConfig;
    private final Map<String, Object> producerConfig;
    private final Transform transform = new Transform();

    RawLoop(String brokers) {
        consumerConfig = Map.of(
                "bootstrap.servers", brokers,
                "enable.auto.commit", "false",
                "auto.offset.reset", "earliest",
                "max.poll.records", "2000");
        producerConfig = Map.of(
                "bootstrap.servers", brokers,
                "acks", "all",
                "enable.idempotence", "true",
                "linger.ms", "5",
                "batch.size", "131072",
                "buffer.memory", "67108864");
    }

    public static void main(String[] args) throws IOException {
        Side.serve(new RawLoop(args[0]));
    }

    @Override
    void run(String source, String sink, String group) {
        Map<String, Object> config = new HashMap<>(consumerConfig);
        config.put("group.id", group);
        try (KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(producerConfig, new ByteArraySerializer(), new ByteArraySerializer())) {
            consumer.subscribe(List.of(source));
            Deque<Polled> polls = new ArrayDeque<>();
            Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
            long lastCommit = System.nanoTime();
            while (!stopping) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(20));
                if (!records.isEmpty()) {
                    Polled polled = new Polled(records);
                    for (ConsumerRecord<byte[], byte[]> message : records) {
                        producer.send(answer(message, sink), polled);
                    }
                    polls.add(polled);
                }
                while (!polls.isEmpty() && polls.peek().isDone()) {
                    done.putAll(polls.poll().next);
                }
                if (!done.isEmpty() && System.nanoTime() - lastCommit >= COMMIT_NANOS) {
                    lastCommit = System.nanoTime();
                    consumer.commitAsync(Map.copyOf(done), null);
                    done.clear();
                }
            }
            producer.flush();
            polls.forEach(polled -> done.putAll(polled.next));
            consumer.commitSync(done);
        }
    }

    private ProducerRecord<byte[], byte[]> answer(ConsumerRecord<byte[], byte[]> message, String sink) {
        try {
            return new ProducerRecord<>(
                    sink, null, null, message.key(), transform.write(transform.read(message.value())), null);
        } catch (ProblemException e) {
            ProducerRecord<byte[], byte[]> deadLetter =
                    new ProducerRecord<>(message.topic() + ".dlq", message.key(), message.value());
            deadLetter.headers().add("error-message", e.getMessage().getBytes(StandardCharsets.UTF_8));
            return deadLetter;
        }
    }

    /** Tracks the records of one poll until the last acknowledgement. */
    private static final class Polled implements Callback {

        private final Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        private final AtomicInteger open;

        private Polled(ConsumerRecords<byte[], byte[]> records) {
            open = new AtomicInteger(records.count());
            for (TopicPartition partition : records.partitions()) {
                List<ConsumerRecord<byte[], byte[]>> of = records.records(partition);
                next.put(partition, new OffsetAndMetadata(of.get(of.size() - 1).offset() + 1));
            }
        }

        private boolean isDone() {
            return open.get() == 0;
        }

        @Override
        public void onCompletion(RecordMetadata metadata, Exception e) {
            if (e != null) {
                e.printStackTrace();
                Runtime.getRuntime().halt(1);
            }
            open.decrementAndGet();
        }
    }
}
