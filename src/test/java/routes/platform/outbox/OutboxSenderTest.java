package routes.platform.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyCollection;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsResult;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;

/** Proves the order of a key when the broker, which the test plays, rejects one of its rows. */
class OutboxSenderTest {

    private final List<MockProducer<byte[], byte[]>> producers = new ArrayList<>();
    private final AtomicLong now = new AtomicLong();
    private final OutboxSettings settings = new OutboxSettings(Duration.ofMillis(50), 10, DataSize.ofMegabytes(1));
    private final OutboxSender sender = new OutboxSender(this::producer, admin(), settings, now::get);
    private long ids;

    @Test
    void holdsAKeyBehindARowThatItsTopicMayReject() throws Exception {
        OutboxRow large = row("t", "k", 100_000);
        sender.send(List.of(row("t", "k", 1), large, row("t", "k", 3), row("t", "other", 4)));
        assertThat(sentSizes()).containsExactly(1, 100_000, 4);

        onProducerThread(() -> {
            producers.get(0).completeNext();
            producers.get(0).errorNext(new RecordTooLargeException());
            producers.get(0).completeNext();
        });
        assertThat(sender.takeResults(Duration.ZERO)).hasSize(3);
        assertThat(sender.producerFailure()).isNull();
        sender.send(List.of(row("t", "k", 3)));
        assertThat(sentSizes()).as("held until the row is parked").hasSize(3);
        sender.releaseKey(large);
        sender.send(List.of(row("t", "k", 3)));
        assertThat(sentSizes()).hasSize(4);
    }

    @Test
    void closesTheProducerBeforeItResendsRowsOutOfOrder() throws Exception {
        sender.send(List.of(row("t", "k", 1), row("t", "k", 2)));
        onProducerThread(() -> {
            producers.get(0).errorNext(new TopicAuthorizationException("t"));
            assertThat(producers.get(0).closed()).isTrue();
        });
        assertThat(sender.producerFailure()).isInstanceOf(TopicAuthorizationException.class);
        sender.takeResults(Duration.ZERO);
        assertThat(sender.waitingTopics()).containsEntry("t", "TopicAuthorizationException");
        assertThat(sender.closedTopics()).containsExactly("t");

        sender.stop();
        sender.restart();
        sender.send(List.of(row("u", "k", 3)));
        assertThat(producers).hasSize(2);
        assertThat(producers.get(1).history()).hasSize(1);
        now.addAndGet(Duration.ofSeconds(2).toNanos());
        assertThat(sender.closedTopics()).isEmpty();
    }

    @Test
    void sendsOneRowAtATimeToATopicSmallerThanABatch() throws Exception {
        List<OutboxRow> rows = List.of(row("small", "k", 1), row("small", "other", 2), row("t", "k", 3));
        sender.send(rows);
        assertThat(sentSizes()).containsExactly(1, 3);

        onProducerThread(() -> producers.get(0).completeNext());
        sender.takeResults(Duration.ZERO);
        sender.send(rows.subList(1, 2));
        assertThat(sentSizes()).containsExactly(1, 3, 2);
    }

    @Test
    void sendsNothingToATopicThatDoesNotExist() {
        sender.send(List.of(row("missing", "k", 1), row("t", "k", 2)));
        assertThat(sentSizes()).containsExactly(2);
        assertThat(sender.waitingTopics()).containsEntry("missing", "UnknownTopicOrPartitionException");
    }

    @Test
    void makesRoomForOtherTopicsWhenOneIsStuck() throws Exception {
        List<OutboxRow> rows = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            rows.add(row("t", "k" + i, 1));
        }
        sender.send(rows);
        assertThat(sender.freeRows()).isZero();
        now.addAndGet(Duration.ofSeconds(6).toNanos());
        assertThat(sender.freeRows()).isEqualTo(10);
        assertThat(sender.closedTopics()).containsExactly("t");
        assertThat(sender.waitingTopics()).containsKey("t");

        onProducerThread(() -> producers.get(0).completeNext());
        sender.takeResults(Duration.ZERO);
        assertThat(sender.closedTopics()).isEmpty();
        assertThat(sender.freeRows()).isEqualTo(1);
    }

    private OutboxRow row(String topic, String key, int size) {
        return new OutboxRow(++ids, topic, key.getBytes(StandardCharsets.UTF_8), new byte[size], List.of());
    }

    private List<Integer> sentSizes() {
        return producers.get(0).history().stream()
                .map(record -> record.value().length)
                .toList();
    }

    private MockProducer<byte[], byte[]> producer() {
        producers.add(new MockProducer<>(false, new ByteArraySerializer(), new ByteArraySerializer()));
        return producers.get(producers.size() - 1);
    }

    private static void onProducerThread(Runnable answers) throws InterruptedException {
        AssertionError[] failure = new AssertionError[1];
        Thread thread = new Thread(() -> {
            try {
                answers.run();
            } catch (AssertionError e) {
                failure[0] = e;
            }
        });
        thread.start();
        thread.join();
        if (failure[0] != null) {
            throw failure[0];
        }
    }

    /** Topics take 70,000 bytes; {@code small} takes 1,500, and {@code missing} does not exist. */
    private static Admin admin() {
        Admin admin = mock(Admin.class);
        when(admin.describeConfigs(anyCollection(), any())).thenAnswer(call -> {
            Map<ConfigResource, KafkaFuture<Config>> answers = new HashMap<>();
            for (Object asked : (Collection<?>) call.getArgument(0)) {
                KafkaFutureImpl<Config> answer = new KafkaFutureImpl<>();
                if (((ConfigResource) asked).name().equals("missing")) {
                    answer.completeExceptionally(new UnknownTopicOrPartitionException());
                } else {
                    answer.complete(new Config(Set.of(new ConfigEntry(
                            "max.message.bytes", ((ConfigResource) asked).name().equals("small") ? "1500" : "70000"))));
                }
                answers.put((ConfigResource) asked, answer);
            }
            DescribeConfigsResult result = mock(DescribeConfigsResult.class);
            when(result.values()).thenReturn(answers);
            return result;
        });
        return admin;
    }
}
