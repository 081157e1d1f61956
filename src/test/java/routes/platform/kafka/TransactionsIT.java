package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Message;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Transactions of producers: the consumer reads committed records, and passes over markers. */
class TransactionsIT extends ConsumerFixture {

    @ParameterizedTest
    @ValueSource(strings = {"", "&batching=true", "&isolationLevel=read_committed"})
    void readsCommittedRecordsToTheEndOfTheLog(String options) throws Exception {
        try (var producer = transactional()) {
            run(options, exchange -> {
                Message message = exchange.getMessage();
                List<?> records = options.contains("batching") ? message.getBody(List.class) : List.of(message);
                records.forEach(record -> seen.add(text((Message) record)));
            });
            for (int i = 0; i < 40; i++) {
                producer.beginTransaction();
                for (int partition = 0; partition < 4; partition++) {
                    send(producer, partition, (i % 2 == 0 ? "committed " : "aborted ") + i + " " + partition);
                }
                producer.flush();
                if (i % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }

            await().untilAsserted(() -> assertThat(seen).hasSize(80));
            await().untilAsserted(() -> assertThat(lag()).as("lag in Kafka").isZero());
            await().untilAsserted(
                            () -> assertThat(gauge("lag")).as("our metric").isZero());
            assertThat(seen).allMatch(value -> value.startsWith("committed ")).doesNotHaveDuplicates();
        }
    }

    @Test
    void waitsForAnOpenTransaction() throws Exception {
        try (var producer = transactional()) {
            run("", this::note);
            producer.beginTransaction();
            send(producer, 0, "open");
            producer.flush();
            send(1, 1);
            await().during(Duration.ofSeconds(1))
                    .untilAsserted(() -> assertThat(seen).noneMatch(value -> value.contains("open")));
            producer.commitTransaction();

            await().untilAsserted(() -> assertThat(seen).containsExactlyInAnyOrder("k open", "k0 0"));
            await().untilAsserted(() -> assertThat(lag()).isZero());
        }
    }

    @Test
    void countsRecordsBehindAnOpenTransaction() throws Exception {
        try (var producer = transactional();
                var plain = producer()) {
            run("", this::note);
            producer.beginTransaction();
            send(producer, 0, "open");
            producer.flush();
            for (int i = 0; i < 5; i++) {
                send(plain, 0, "behind " + i);
            }
            plain.flush();

            await().untilAsserted(() -> assertThat(gauge("lag")).isEqualTo(6));
            assertThat(seen).isEmpty();
            producer.commitTransaction();

            await().untilAsserted(() -> assertThat(seen).hasSize(6));
            await().untilAsserted(() -> assertThat(gauge("lag")).isZero());
        }
    }

    @Test
    void countsRecordsBehindAHeldPartition() throws Exception {
        AtomicBoolean down = new AtomicBoolean(true);
        run("&batching=true", exchange -> {
            if (down.get()) {
                throw new IOException("down");
            }
        });
        send(1, 1);
        await().until(() -> gauge("held.partitions") == 1);
        send(300, 1);

        await().untilAsserted(() -> assertThat(gauge("lag")).isEqualTo(301));
        down.set(false);

        await().untilAsserted(() -> assertThat(gauge("lag")).isZero());
    }

    @Test
    void reachesTheEndOfALogOfAbortedRecords() throws Exception {
        try (var producer = transactional()) {
            producer.beginTransaction();
            send(producer, 0, "aborted");
            producer.flush();
            producer.abortTransaction();
        }
        run("", this::note);

        await().untilAsserted(() -> assertThat(lag()).isZero());
        assertThat(committed()).isEqualTo(2);
        assertThat(seen).isEmpty();
    }

    private void send(KafkaProducer<byte[], byte[]> producer, int partition, String value) {
        producer.send(new ProducerRecord<>(topic, partition, bytes("k"), bytes(value)));
    }

    private static KafkaProducer<byte[], byte[]> transactional() {
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        BROKERS,
                        "transactional.id",
                        UUID.randomUUID().toString()),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();
        return producer;
    }
}
