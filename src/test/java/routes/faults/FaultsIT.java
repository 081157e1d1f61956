package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.faults.Load.CREATED;
import static routes.faults.Load.UPDATED;
import static routes.faults.Load.bytes;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import routes.TopicRecords;
import sandbox.Servers;
import sandbox.Topics;

/**
 * Checks the delivery promise while things break, record by record and in batches. Each run prints its counts: nothing
 * lost, no second effect, order per key, and each poison record in its dead-letter topic with its bytes.
 */
@Tag("faults")
class FaultsIT extends DeliveryFaults {

    /** Exceeds {@code delivery-timeout-ms} of the producers. */
    private static final int FREEZE_SECONDS = 40;

    private static final Random RANDOM = new Random();

    private static TransactionTemplate transaction;

    @BeforeAll
    static void startServers() throws Exception {
        start(Servers.own("faults-servers"));
        transaction = new TransactionTemplate(new JdbcTransactionManager(jdbc.getDataSource()));
    }

    @Test
    void killedTwentyTimes() throws Exception {
        try (Load load = new Load("kill", brokers).start(150)) {
            load.awaitSent(1000);
            for (int i = 0; i < 20; i++) {
                Instance instance = instance();
                // half of the kills while the instance catches up, half while it keeps pace
                outcome.awaitAttempts(load, instance, 1 + RANDOM.nextInt(2 * (int) outcome.lag()));
                instance.kill();
            }
            instance();
            Outcome.Attempts attempts = outcome.verify("kill -9 x 20", load);
            assertThat(attempts.repeatedPercent())
                    .as("percent of attempts repeated")
                    .isLessThan(5);
        }
    }

    @Test
    void brokerKilled() throws Exception {
        instance();
        try (Load load = new Load("broker-kill", brokers).start(200)) {
            outcome.awaitEffects(load, 600);
            servers.kafka().kill();
            load.awaitSent(600);
            servers.kafka().start();
            outcome.awaitEffects(load, 600);
            outcome.verify("broker kill -9 and restart", load);
        }
    }

    @Test
    void brokerFrozenBeyondTheDeliveryTimeout() throws Exception {
        instance();
        try (Load load = new Load("broker-stop", brokers).start(200)) {
            outcome.awaitEffects(load, 600);
            servers.kafka().suspend();
            try {
                TimeUnit.SECONDS.sleep(FREEZE_SECONDS);
            } finally {
                servers.kafka().resume();
            }
            outcome.awaitEffects(load, 600);
            outcome.verify("broker SIGSTOP " + FREEZE_SECONDS + " s", load);
        }
    }

    @Test
    void databaseDown() throws Exception {
        Instance instance = instance();
        try (Load load = new Load("database", brokers)) {
            load.send(400);
            servers.postgres().kill();
            long foreign;
            try {
                for (int i = 0; i < 30; i++) {
                    load.good(i % 2 == 0 ? CREATED : UPDATED, "k" + i, "");
                    TimeUnit.SECONDS.sleep(1);
                }
                Patience.await()
                        .until(() -> instance.runtime
                                        .management("/observe/health/ready")
                                        .statusCode()
                                == 503);
                foreign = outcome.letters(load).stream()
                        .filter(letter -> letter.headers().lastHeader("poison-id") == null)
                        .count();
            } finally {
                servers.postgres().start();
            }
            long back = System.nanoTime();
            outcome.verify("PostgreSQL down 30 s, dead letters of good records " + foreign, load);
            System.out.printf(
                    "faults: everything done %d ms after PostgreSQL was back%n",
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - back));
            assertThat(foreign).isZero();
        }
    }

    @Test
    void deadLettersRefused() throws Exception {
        Instance instance = instance();
        try (Load load = new Load("dlq-refused", brokers)) {
            limit(CREATED + ".dlq", "10");
            limit(UPDATED + ".dlq", "10");
            try {
                load.send(1000);
                awaitHeld(instance, "accepts no dead letters: RecordTooLargeException");
            } finally {
                limit(CREATED + ".dlq", "1114124");
                limit(UPDATED + ".dlq", "1114124");
            }
            outcome.verify("dead-letter topics refuse", load);
        }
    }

    @Test
    void deadLetterTopicsMissing() throws Exception {
        Instance instance = instance();
        try (Load load = new Load("dlq-missing", brokers)) {
            List<String> topics = List.of(CREATED + ".dlq", UPDATED + ".dlq");
            admin.deleteTopics(topics).all().get();
            try {
                load.send(1000);
                awaitHeld(instance, ".dlq accepts no dead letters: ");
            } finally {
                Topics.create(
                        admin,
                        topics.stream()
                                .map(topic -> new NewTopic(topic, 6, (short) 1)
                                        .configs(Map.of("max.message.bytes", "1114124")))
                                .toList());
            }
            outcome.verify("dead-letter topics missing", load);
        }
    }

    @Test
    void aMemberJoinsAndLeavesTenTimes() throws Exception {
        instance();
        try (Load load = new Load("joins", brokers).start(200)) {
            for (int joins = 0; joins < 10; joins++) {
                try (KafkaConsumer<byte[], byte[]> member = consumer(Outcome.GROUP)) {
                    member.subscribe(List.of(CREATED, UPDATED));
                    Patience.await().pollInSameThread().until(() -> !member.poll(Duration.ofMillis(100))
                            .isEmpty());
                }
                outcome.awaitEffects(load, 600);
            }
            outcome.verify("a member joined and left 10 times", load);
        }
    }

    @Test
    void aSlowHandler() throws Exception {
        instance("CAMEL_COMPONENT_KAFKA_MAXPOLLINTERVALMS=6000");
        try (Load load = new Load("slow", brokers)) {
            for (int i = 0; i < 4; i++) {
                load.good(CREATED, "slow-" + i, ",\"delayMs\":15000");
            }
            load.good(UPDATED, "slow", ",\"delayMs\":15000");
            load.send(400);
            Outcome.Attempts attempts = outcome.verify("a handler of 15 s, poll interval 6 s", load);
            assertThat(attempts.repeated())
                    .as("no rebalance, so no record came twice")
                    .isZero();
        }
    }

    @Test
    void terminatedUnderLoad() throws Exception {
        try (Load load = new Load("term", brokers).start(200)) {
            List<String> ends = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                Instance instance = instance();
                outcome.awaitAttempts(load, instance, 600);
                long since = System.nanoTime();
                instance.runtime.terminate();
                int code = instance.runtime.awaitExit(Duration.ofSeconds(30));
                ends.add("exit %d after %d ms"
                        .formatted(code, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since)));
                assertThat(code).isEqualTo(143);
            }
            instance();
            outcome.verify("SIGTERM x 3 under load, " + ends, load);
        }
    }

    @Test
    void threeInstancesRestartedInTurn() throws Exception {
        List<Instance> running = new ArrayList<>(List.of(instance(), instance(), instance()));
        try (Load load = new Load("rolling", brokers).start(200)) {
            for (Instance old : List.copyOf(running)) {
                outcome.awaitAttempts(load, old, 300);
                Instance next = instance();
                running.add(next);
                outcome.awaitAttempts(load, next, 300);
                old.runtime.terminate();
                assertThat(old.runtime.awaitExit(Duration.ofSeconds(30))).isEqualTo(143);
                outcome.awaitEffects(load, 600);
            }
            Outcome.Attempts attempts = outcome.verify("three instances restarted in turn", load);
            Pauses pauses = Pauses.of(jdbc, load.run);
            System.out.printf(
                    "faults: three instances restarted in turn: %d moves of partitions, the longest waited %d ms, the median %d ms; of those that stayed the longest waited %d ms%n",
                    pauses.moved().size(), pauses.longestMoved(), pauses.medianMoved(), pauses.longestStayed());
            assertThat(attempts.repeated()).as("finished before it moved").isZero();
            assertThat(pauses.moved()).hasSizeGreaterThan(6);
            // subtracts the pauses that the machine causes without a move
            assertThat(pauses.longestMoved()).isLessThanOrEqualTo(1000 + pauses.longestStayed());
        }
    }

    @Test
    void twoInstances() throws Exception {
        List<Instance> two = List.of(instance(), instance());
        try (Load load = new Load("two", brokers).start(200)) {
            for (Instance instance : two) {
                outcome.awaitAttempts(load, instance, 600);
            }
            outcome.verify("two instances", load);
            List<Integer> parts = jdbc.queryForList(
                    "select count(*) from fault_attempt where run = ? group by process", Integer.class, load.run);
            System.out.println("faults: attempts by instance " + parts);
            assertThat(parts).hasSize(2);
        }
    }

    @Test
    void transactionsThatAreAborted() throws Exception {
        instance();
        try (Load load = new Load("plain", brokers).start(100);
                Transactions one = new Transactions(brokers, Duration.ofMillis(50));
                Transactions two = new Transactions(brokers, Duration.ofMillis(100))) {
            outcome.awaitEffects(one.committed, 1000);
            outcome.awaitEffects(two.committed, 500);
            List<Transactions> all = List.of(one, two);
            for (Transactions transactions : all) {
                transactions.finishWithOneOpen();
            }
            outcome.verify("records without a transaction among transactions", load);
            for (Transactions transactions : all) {
                outcome.verify("%d transactions committed".formatted(transactions.commits()), transactions.committed);
                Load aborted = transactions.aborted;
                int effects = outcome.effects(aborted.run);
                int attempts = outcome.attempts(aborted.run);
                int letters = outcome.letters(aborted).size();
                System.out.printf(
                        "faults: %d transactions aborted and one left open: records %d, effects %d, attempts %d; poison %d, dead letters %d; lag %d%n",
                        transactions.aborts(),
                        aborted.sent.get(),
                        effects,
                        attempts,
                        aborted.poison.size(),
                        letters,
                        outcome.lag());
                assertThat(aborted.sent.get()).isPositive();
                assertThat(effects).isZero();
                assertThat(attempts).isZero();
                assertThat(letters).isZero();
            }
        }
    }

    @Test
    void aCorpusOfPoison() throws Exception {
        instance();
        try (Load load = new Load("corpus", brokers)) {
            Map<String, byte[]> corpus = corpus();
            for (String topic : List.of(CREATED, UPDATED)) {
                corpus.forEach((name, value) -> {
                    load.good(topic, name, "");
                    load.poison(topic, name, value, "twice", "1", "twice", "2", "Twice", "3");
                    load.good(topic, name, "");
                });
            }
            outcome.verify("poison corpus " + corpus.keySet(), load);
            assertThat(outcome.letters(load)).allSatisfy(letter -> assertThat(
                            Stream.of(letter.headers().headers("twice").iterator())
                                    .flatMap(headers -> {
                                        List<String> values = new ArrayList<>();
                                        headers.forEachRemaining(h -> values.add(Outcome.text(h.value())));
                                        return values.stream();
                                    }))
                    .containsExactly("1", "2"));
        }
    }

    @Test
    void aBacklogOf100TimesTheInFlightLimit() throws Exception {
        int count = 200_000;
        try (Load load = new Load("backlog", brokers)) {
            String padding = ",\"note\":\"" + "x".repeat(700) + "\"";
            for (int i = 0; i < count; i++) {
                load.good(i % 20 == 0 ? CREATED : UPDATED, "k" + i % 1000, padding);
            }
            load.finish();
            Instance instance = instance();
            List<Long> heap = new ArrayList<>();
            for (int tenth = 1; tenth <= 10; tenth++) {
                int done = count / 10 * tenth;
                Patience.whileMoving(() -> outcome.effects(load.run)).until(() -> outcome.effects(load.run) >= done);
                heap.add(instance.runtime.heapMegabytes());
            }
            outcome.verify("backlog of " + count + ", -Xmx256m, heap in MB after each tenth " + heap, load);
            assertThat(heap.get(9)).isLessThan(heap.get(0) + 30);
        }
    }

    @Test
    void killedDuringTheReprocessingOf10000Letters() throws Exception {
        int count = 10_000;
        Instance[] two = {instance(Instance.OWN_ROUTES), instance(Instance.OWN_ROUTES)};
        try (Load load = new Load("bulk", brokers)) {
            String error = "Bulk" + load.run.replaceAll("\\W", "");
            String filter = "{\"errorClass\":\"%s\",\"rate\":500}".formatted(error);
            for (int i = 0; i < count; i++) {
                load.letter("k" + i % 100, error);
            }
            load.finish();
            Patience.whileMoving(() -> reprocess(two[0], "?dryRun=true", filter))
                    .until(() -> reprocess(two[0], "?dryRun=true", filter).equals("{\"count\":" + count + "}"));
            UUID job = UUID.fromString(reprocess(two[1], "", filter).replaceAll(".*:\"|\".*", ""));
            int kills = 0;
            while (kills < 6) {
                for (Instance instance : two) {
                    // the second when it has taken over; what it has missed meanwhile, 500 at most, it sends at once
                    int goal = 1400 * ++kills + RANDOM.nextInt(400);
                    Patience.whileMoving(() -> done(job))
                            .pollInterval(Duration.ofMillis(20))
                            .until(() -> done(job) >= goal);
                    instance.kill();
                }
                assertThat(done(job)).as("sent when both were dead").isLessThan(count);
                transaction.executeWithoutResult(held -> {
                    // otherwise the first instance works on while the second one starts
                    jdbc.queryForList("select id from reprocess_job where id = ? for update", job);
                    for (int i = 0; i < 2; i++) {
                        two[i] = instance(Instance.OWN_ROUTES);
                    }
                });
            }
            Patience.whileMoving(() -> List.of(done(job), unsent(), outcome.lag()))
                    .until(() -> done(job) == count && unsent() == 0 && outcome.lag() == 0);

            int records = 0;
            int disordered = 0;
            Set<String> letters = new HashSet<>();
            Map<String, Integer> last = new HashMap<>();
            for (ConsumerRecord<byte[], byte[]> sent : TopicRecords.read(brokers, CREATED)) {
                Matcher event = Pattern.compile("\"eventId\":\"([^\"]+)\".*\"seq\":(\\d+)")
                        .matcher(Outcome.text(sent.value()));
                if (!load.run.equals(Outcome.header(sent, Load.RUN)) || !event.find()) {
                    continue;
                }
                records++;
                int seq = Integer.parseInt(event.group(2));
                if (letters.add(event.group(1))) {
                    Integer before = last.put(Outcome.text(sent.key()), seq);
                    disordered += before != null && before > seq ? 1 : 0;
                }
            }
            int attempts = outcome.count("select count(*) from dead_letter_attempt where job = ?", job);
            int done = done(job);
            int orders =
                    outcome.count("select count(*) from pharmacy_order where prescription_id like ? || '%'", load.run);
            System.out.printf(
                    "faults: bulk reprocessing of %d letters, kill -9 x %d: sent %d distinct (%d records repeated), lost %d, out of order %d; job says %d, attempts noted %d, orders of %d keys%n",
                    count,
                    kills,
                    letters.size(),
                    records - letters.size(),
                    count - letters.size(),
                    disordered,
                    done,
                    attempts,
                    orders);
            assertThat(letters).hasSize(count);
            assertThat(disordered).isZero();
            assertThat(done).isEqualTo(count);
            assertThat(attempts).isEqualTo(count);
            assertThat(orders).isEqualTo(100);
        }
    }

    private static String reprocess(Instance instance, String query, String filter) {
        return instance.runtime
                .post("/api/dead-letters/reprocess" + query, "application/json", filter)
                .body();
    }

    private static int done(UUID job) {
        return outcome.count("select done from reprocess_job where id = ?", job);
    }

    private static int unsent() {
        return outcome.count("select count(*) from outbox where sent_at is null and topic = ?", CREATED);
    }

    private static void limit(String topic, String bytes) throws Exception {
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.TOPIC, topic),
                        List.of(new AlterConfigOp(
                                new ConfigEntry("max.message.bytes", bytes), AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    private static void awaitHeld(Instance instance, String reason) {
        Patience.await().untilAsserted(() -> assertThat(
                        instance.runtime.management("/observe/health").body())
                .contains("\"held\"")
                .contains(", partition ")
                .contains(reason));
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String group) {
        Map<String, Object> properties = new HashMap<>(
                Map.of("bootstrap.servers", brokers, "enable.auto.commit", false, "auto.offset.reset", "earliest"));
        properties.put("group.id", group);
        properties.put("session.timeout.ms", 6000);
        // any group of the runtime
        properties.put(
                "partition.assignment.strategy",
                List.of(CooperativeStickyAssignor.class.getName(), RangeAssignor.class.getName()));
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static Map<String, byte[]> corpus() {
        String event =
                """
                {"metadata":{"eventId":"9b2f7c1e-0d57-4c5b-a0c3-2d7a90b1f4e5","eventType":"t","eventSource":"medication-service","timestamp":1},"payload":{"id":"i","patientId":"p","medication":{"name":"n"}}}""";
        Map<String, byte[]> corpus = new HashMap<>();
        corpus.put("truncated", bytes(event.substring(0, event.length() - 3)));
        corpus.put("null", null);
        corpus.put("empty", new byte[0]);
        corpus.put("bad-utf8", latin1(event.replace("\"n\"", "\"\u00c3\u0028\"")));
        corpus.put("unpaired-surrogate", latin1(event.replace("\"n\"", "\"\u00ed\u00a0\u0080\"")));
        corpus.put("escaped-surrogate", bytes(event.replace("\"n\"", "\"\\ud800\"")));
        corpus.put("over-size", bytes("{\"a\":\"" + "x".repeat(1_048_000)));
        corpus.put("deep", bytes("[".repeat(200_000)));
        corpus.put("wrong-shape", bytes(event.replace("\"medication\"", "\"medicine\"")));
        corpus.put("huge-number", bytes(event.replace("\"timestamp\":1", "\"timestamp\":1e999999999")));
        corpus.put("long-number", bytes(event.replace("\"timestamp\":1", "\"timestamp\":1" + "0".repeat(100_000))));
        corpus.put("field-twice", bytes(event.replace("\"id\":\"i\"", "\"id\":\"i\",\"id\":\"j\"")));
        corpus.put("no-uuid", bytes(event.replace("9b2f7c1e", "zzzzzzzz")));
        corpus.put("no-object", bytes("[1]"));
        return corpus;
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
