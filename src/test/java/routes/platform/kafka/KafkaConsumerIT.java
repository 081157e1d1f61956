package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.camel.CamelContext;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.actuate.health.Status;
import routes.platform.error.ProblemException;

/** The promises of the consumer, record by record and in batches. */
class KafkaConsumerIT extends ConsumerFixture {

    @Test
    void keepsTheOrderOfEveryKeyWithSlowHandlers() throws Exception {
        send(1500, 40);
        run("", exchange -> {
            if (ThreadLocalRandom.current().nextInt(10) == 0) {
                Thread.sleep(ThreadLocalRandom.current().nextInt(5));
            }
            note(exchange);
        });

        await().untilAsserted(() -> assertThat(seen).hasSize(1500));
        assertOrderPerKey(1500, 40);
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(1500));
        assertThat(meters.get("event-broker.consumer.in.flight").gauge().value())
                .isZero();
    }

    @Test
    void holdsAKeyThenThePartitionAndRecovers() throws Exception {
        Set<String> down = ConcurrentHashMap.newKeySet();
        down.add("k0");
        PipelinedKafkaComponent kafka = run("", exchange -> {
            String key = key(exchange);
            if (down.contains(key) || down.contains("all")) {
                throw new IOException("down");
            }
            note(exchange);
        });
        send(200, 40);

        await().untilAsserted(() -> assertThat(seen).hasSize(195));
        assertThat(seen).noneMatch(record -> record.startsWith("k0 "));
        assertThat(health(kafka).getStatus()).isEqualTo(Status.UP);
        assertThat(meters.get("event-broker.consumer.held.keys").gauge().value())
                .isEqualTo(1);

        down.add("all");
        send(200, 200);
        await().untilAsserted(() -> assertThat(health(kafka).getStatus()).isEqualTo(Status.DOWN));
        assertThat(health(kafka).getDetails().get("held").toString())
                .contains("group " + group + ", topic " + topic + ", partition ")
                .contains("IOException");

        down.clear();
        await().untilAsserted(() -> assertThat(health(kafka).getStatus()).isEqualTo(Status.UP));
        await().untilAsserted(() -> assertThat(seen).hasSize(400));
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(400));
    }

    @Test
    void rereadsRecordsInFlightAfterTheDrainTimeout() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        run("", exchange -> {
            if (key(exchange).equals("k3")) {
                never.await();
            }
            note(exchange);
        });
        send(100, 20);
        await().untilAsserted(() -> assertThat(seen).hasSize(95));
        contexts.get(0).stop();

        run("", this::note);

        await().untilAsserted(() -> assertThat(Set.copyOf(seen)).hasSize(100));
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(100));
        assertThat(seen).as("records completed behind k3 are not repeated").doesNotHaveDuplicates();
    }

    @Test
    void drainsRecordsInFlightWhenItStops() throws Exception {
        run("", exchange -> {
            Thread.sleep(300);
            note(exchange);
        });
        send(8, 8);
        await().until(() ->
                meters.get("event-broker.consumer.in.flight").gauge().value() == 8);
        contexts.get(0).stop();

        assertThat(seen).hasSize((int) committed());
    }

    @Test
    void losesNothingWhileAMemberJoinsAndLeaves() throws Exception {
        Processor slow = exchange -> {
            Thread.sleep(1);
            note(exchange);
        };
        run("", slow);
        for (int i = 0; i < 4; i++) {
            send(i * 1000, 1000, 50);
            run("", slow);
            // a slow machine may have handled them all before the member has joined
            int enough = Math.min(seen.size() + 100, (i + 1) * 1000);
            await().untilAsserted(() -> assertThat(seen).hasSizeGreaterThanOrEqualTo(enough));
            contexts.get(contexts.size() - 1).stop();
        }

        await().untilAsserted(() -> assertThat(Set.copyOf(seen)).hasSize(4000));
        assertOrderPerKey(4000, 50);
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(4000));
    }

    @Test
    void readsItsOtherPartitionsWhileAMemberJoins() throws Exception {
        String cooperative = "&heartbeatIntervalMs=500&partitionAssignor=" + CooperativeStickyAssignor.class.getName();
        Map<TopicPartition, PartitionDispatcher> dispatchers = dispatchers(run(cooperative, this::note));
        await().until(() -> dispatchers.size() == 4);
        Map<TopicPartition, PartitionDispatcher> before = Map.copyOf(dispatchers);
        Map<TopicPartition, PartitionDispatcher> others = dispatchers(run(cooperative, this::note));
        await().until(() -> dispatchers.size() == 2 && others.size() == 2);

        assertThat(before).as("it keeps its partitions").containsAllEntriesOf(dispatchers);
        send(100, 40);
        await().untilAsserted(() -> assertThat(seen).hasSize(100).doesNotHaveDuplicates());
    }

    @Test
    void returnsItsPartitionsBeforeOtherRoutesEnd() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        run("", this::note);
        CamelContext camel = contexts.get(0);
        camel.getShutdownStrategy().setTimeout(60);
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("seda:other").process(exchange -> go.await());
            }
        });
        camel.createProducerTemplate().sendBody("seda:other?waitForTaskToComplete=Never", "slow");
        send(10, 10);
        await().untilAsserted(() -> assertThat(seen).hasSize(10));
        Thread stop = new Thread(camel::stop);
        stop.start();

        await().until(() -> admin.describeConsumerGroups(List.of(group))
                .describedGroups()
                .get(group)
                .get()
                .members()
                .isEmpty());
        assertThat(stop.isAlive()).isTrue();
        go.countDown();
        stop.join();
    }

    private static Map<TopicPartition, PartitionDispatcher> dispatchers(PipelinedKafkaComponent kafka) {
        return kafka.running().findFirst().orElseThrow().members().get(0).dispatchers();
    }

    @Test
    void staysInTheGroupDuringASlowHandler() throws Exception {
        run("&maxPollIntervalMs=2000&sessionTimeoutMs=6000&heartbeatIntervalMs=500", exchange -> {
            Thread.sleep(5000);
            note(exchange);
        });
        send(4, 1);

        await().untilAsserted(() -> assertThat(seen).hasSize(4));
        assertThat(seen).doesNotHaveDuplicates();
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(4));
    }

    @Test
    void suspendsAndResumes() throws Exception {
        run("&consumersCount=2", this::note);
        send(10, 10);
        await().untilAsserted(() -> assertThat(seen).hasSize(10));
        CamelContext camel = contexts.get(0);
        camel.getRouteController().suspendRoute("it");
        send(10, 10, 10);
        await().during(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(seen).hasSize(10));
        camel.getRouteController().resumeRoute("it");
        await().untilAsserted(() -> assertThat(seen).hasSize(20));
        camel.getRouteController().stopRoute("it");
        camel.getRouteController().startRoute("it");
        send(20, 10, 10);
        await().untilAsserted(() -> assertThat(seen).hasSize(30));
    }

    @Test
    @SuppressWarnings("unchecked")
    void isolatesTheRefusedRecordOfABatch() throws Exception {
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        send(1000, 40);
        run("&batching=true&maxPollRecords=100", exchange -> {
            List<Message> batch = exchange.getMessage().getBody(List.class);
            boolean poison = batch.stream().anyMatch(message -> text(message).equals("777"));
            if (poison && batch.size() > 1) {
                throw new ProblemException(400, "wrong");
            }
            sizes.add(batch.size());
            assertThat(exchange.getMessage().getHeader(KafkaConstants.TOPIC)).isEqualTo(topic);
            batch.forEach(message -> seen.add(key(message) + " " + (poison ? "777" : text(message))));
        });

        await().untilAsserted(() -> assertThat(seen).hasSize(1000));
        assertThat(seen).doesNotHaveDuplicates();
        assertOrderPerKey(1000, 40);
        assertThat(sizes).contains(1).anyMatch(size -> size > 32);
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(1000));
    }

    @Test
    void runsEveryExchangeOnItsWorkers() throws Exception {
        Set<String> threads = ConcurrentHashMap.newKeySet();
        send(3000, 3000);
        CountDownLatch go = new CountDownLatch(1);
        run("", exchange -> {
            go.await();
            threads.add(Thread.currentThread().getName());
            note(exchange);
        });
        await().until(() ->
                meters.get("event-broker.consumer.in.flight").gauge().value() >= 400);
        go.countDown();

        await().untilAsserted(() -> assertThat(seen).hasSize(3000));
        assertThat(threads).hasSize(8).allSatisfy(name -> assertThat(name).contains("-worker"));
    }

    @Test
    void handlesTombstonesAndRecordsWithoutAKey() throws Exception {
        List<Object> bodies = new CopyOnWriteArrayList<>();
        run("", exchange -> {
            bodies.add(String.valueOf(exchange.getMessage().getBody()));
            assertThat(exchange.getMessage().getHeader(KafkaConstants.TOPIC)).isEqualTo(topic);
            assertThat(exchange.getMessage().getHeader(KafkaConstants.OFFSET)).isInstanceOf(Long.class);
            assertThat(exchange.getMessage().getHeader(KafkaConstants.PARTITION))
                    .isInstanceOf(Integer.class);
        });
        try (var producer = producer()) {
            producer.send(new ProducerRecord<>(topic, bytes("k"), null)).get();
            producer.send(new ProducerRecord<>(topic, null, bytes("v"))).get();
        }

        await().untilAsserted(() -> assertThat(bodies).hasSize(2));
        assertThat(bodies).contains("null");
        await().untilAsserted(() -> assertThat(committed()).isEqualTo(2));
    }

    @Test
    void readsNoMoreThanItsBudget() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        run("&maxPollRecords=50", exchange -> {
            go.await();
            note(exchange);
        });
        send(5000, 100);
        await().until(() ->
                meters.get("event-broker.consumer.in.flight").gauge().value() >= 400);
        await().during(Duration.ofSeconds(2))
                .until(() ->
                        meters.get("event-broker.consumer.in.flight").gauge().value() <= 400 + 4 * 50);
        go.countDown();

        await().untilAsserted(() -> assertThat(seen).hasSize(5000));
        assertOrderPerKey(5000, 100);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "breakOnFirstError=true",
                "allowManualCommit=true",
                "batchingIntervalMs=7",
                "seekTo=BEGINNING",
                "pollOnError=STOP",
                "pollTimeoutMs=7",
                "autoCommitEnable=true",
                "autoCommitIntervalMs=7",
                "bridgeErrorHandler=true",
                "shutdownTimeout=7",
                "valueDeserializer=org.apache.kafka.common.serialization.StringDeserializer",
                "additionalProperties.enable.auto.commit=true",
                "isolationLevel=read_uncommitted",
                "additionalProperties.isolation.level=read_uncommitted",
                "additionalProperties.auto.offset.reset=latest",
                "groupInstanceId=a&consumersCount=2"
            })
    void refusesUnsupportedOptions(String option) {
        assertThatThrownBy(() -> run("&" + option, this::note))
                .hasStackTraceContaining("option " + option.substring(0, option.indexOf('=')));
    }
}
