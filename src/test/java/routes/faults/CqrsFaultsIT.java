package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.faults.CommandLoad.APPLIED;
import static routes.faults.CommandLoad.COMMANDS;
import static routes.faults.Load.CREATED;
import static routes.faults.Load.UPDATED;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;
import routes.TopicRecords;
import sandbox.ServerProcess;
import sandbox.Servers;

/**
 * Kills instances at each boundary of the command flow, and PostgreSQL and the broker too. Each sent command has one
 * write, one distinct event, and one place in each result. The write model, the view and the pharmacy orders agree.
 */
@Tag("faults")
class CqrsFaultsIT {

    private static final String COMMAND_TOPIC = "medication.commands";
    private static final String EVENT_TOPIC = "medication.events";
    private static final String HANDLER = "medication-command-handler";
    private static final String REBUILD = "/api/projections/prescription-view";
    private static final String WAITING =
            "select count(*) from pg_locks where relation = 'outbox'::regclass and not granted";
    private static final Random RANDOM = new Random();

    private static Servers servers;
    private static Admin admin;
    private static JdbcTemplate jdbc;
    private static TransactionTemplate transactions;

    /** The ready instances. */
    private final List<Instance> instances = new CopyOnWriteArrayList<>();

    private final List<Instance> started = new ArrayList<>();
    private int kills;

    /** Counts committed events that the broker did not have when the outbox relay died. */
    private int committedUnsent;

    /** Counts events on the topic that were not marked as sent when the outbox relay died. */
    private final Set<String> sentUnmarked = new HashSet<>();

    /** Counts handled commands beyond the committed offset when all instances died. */
    private final Set<String> handledUncommitted = new HashSet<>();

    private interface Fault {
        void strike() throws Exception;
    }

    @BeforeAll
    static void startServers() {
        servers = Servers.own("cqrs-faults-servers");
        admin = Admin.create(Map.of("bootstrap.servers", Clients.brokers(servers)));
        DataSource database = Clients.database(servers);
        jdbc = new JdbcTemplate(database);
        transactions = new TransactionTemplate(new JdbcTransactionManager(database));
    }

    @AfterAll
    static void stopServers() {
        admin.close();
        servers.close();
    }

    @AfterEach
    void stopInstances() {
        started.forEach(Instance::close);
    }

    @Test
    void killedAtEveryBoundary() throws Exception {
        List<Fault> faults = List.of(
                this::atAnyMoment,
                this::beforeCommit,
                this::atAnyMoment,
                this::betweenCommitAndSend,
                this::atAnyMoment,
                this::betweenSendAndMark,
                this::atAnyMoment,
                this::beforeTheOffsetsAreCommitted,
                () -> restart(servers.postgres()),
                () -> restart(servers.kafka()));
        int commands = COMMANDS / faults.size();
        startTwo();
        try (CommandLoad load = new CommandLoad(instances, Clients.brokers(servers))) {
            for (Fault fault : faults) {
                int goal = load.outcomes.size() + RANDOM.nextInt(commands / 2);
                load.allow(commands);
                load.awaitAccepted(goal);
                fault.strike();
                startTwo();
            }
            load.finish();
            verify(load);
        }
    }

    private void atAnyMoment() {
        kill(instances.get(RANDOM.nextInt(instances.size())));
    }

    private void beforeCommit() {
        whileEventsCannotBeAdded(() -> kill(instances.get(0)));
    }

    private void betweenCommitAndSend() throws Exception {
        commitWhatIsNotSent();
        try {
            kill(relay());
            committedUnsent = unsent();
        } finally {
            servers.kafka().resume();
        }
    }

    private void betweenSendAndMark() throws Exception {
        commitWhatIsNotSent();
        try {
            transactions.executeWithoutResult(locked -> {
                sentUnmarked.addAll(jdbc.queryForList(
                        "select event_id from outbox where sent_at is null for update", String.class));
                servers.kafka().resume();
                await().until(() -> values(EVENT_TOPIC).stream()
                        .map(event -> event.path("eventId").asText())
                        .collect(Collectors.toSet())
                        .containsAll(sentUnmarked));
                // it waits for the lock to mark them, and PostgreSQL would do so for it until it has seen that it is
                // gone
                kill(relay());
                relay();
            });
        } finally {
            servers.kafka().resume();
        }
        assertThat(sentUnmarked).isNotEmpty();
    }

    private void beforeTheOffsetsAreCommitted() throws Exception {
        int[] handled = new int[1];
        // and cannot be, without a broker
        whileEventsCannotBeAdded(() -> {
            servers.kafka().kill();
            handled[0] = count("status <> 'ACCEPTED'");
        });
        try {
            await().until(() -> count("status <> 'ACCEPTED'") > handled[0]);
            instances.forEach(this::kill);
        } finally {
            servers.kafka().start();
        }

        Set<String> known = new HashSet<>(jdbc.queryForList(
                "select command_id from medication_command where status <> 'ACCEPTED'", String.class));
        Map<TopicPartition, Long> committed = Clients.committed(admin, HANDLER, List.of(COMMAND_TOPIC));
        Set<String> done = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> command : records(COMMAND_TOPIC)) {
            String id = json(command.value()).path("commandId").asText();
            if (command.offset() < committed.get(new TopicPartition(COMMAND_TOPIC, command.partition()))) {
                done.add(id);
            } else if (known.contains(id) && !done.contains(id)) {
                handledUncommitted.add(id);
            }
        }
        assertThat(handledUncommitted).isNotEmpty();
    }

    private static void restart(ServerProcess server) throws Exception {
        server.kill();
        try {
            TimeUnit.MILLISECONDS.sleep(RANDOM.nextInt(3000));
        } finally {
            server.start();
        }
    }

    /** Holds the transactions of commands before their last statement. */
    private void whileEventsCannotBeAdded(Runnable work) {
        transactions.executeWithoutResult(locked -> {
            jdbc.execute("lock table outbox in share mode");
            await().until(() -> jdbc.queryForObject(WAITING, Integer.class) >= 8);
            work.run();
        });
    }

    /** Leaves the broker frozen. */
    private void commitWhatIsNotSent() {
        whileEventsCannotBeAdded(() -> servers.kafka().suspend());
        await().until(() -> unsent() > 0);
    }

    private Instance relay() {
        return await().until(() -> instances.stream().filter(Instance::isRelay).findFirst(), Optional::isPresent)
                .orElseThrow();
    }

    private void kill(Instance instance) {
        instances.remove(instance);
        try {
            instance.kill();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        kills++;
    }

    private void startTwo() throws Exception {
        List<Instance> starting = new ArrayList<>();
        while (instances.size() + starting.size() < 2) {
            starting.add(new Instance(servers, Instance.OWN_ROUTES));
            started.add(starting.get(starting.size() - 1));
        }
        for (Instance instance : starting) {
            instance.ready();
            instances.add(instance);
        }
        relay();
    }

    private void verify(CommandLoad load) throws Exception {
        Patience.whileMoving(CqrsFaultsIT::undone).untilAsserted(() -> assertThat(undone())
                .allSatisfy((what, left) -> assertThat(left).as(what).isZero()));
        Map<String, String> outcomes = texts("select command_id, status from medication_command");
        Map<String, String> prescriptions = texts(
                """
                select prescription_id, concat_ws(' ', p ->> 'version', p ->> 'status', p ->> 'quantity')
                from (select prescription_id, content::json as p from medication_prescription) c""");
        Set<String> applied = load.outcomes.keySet().stream()
                .filter(id -> load.outcomes.get(id).equals(APPLIED))
                .collect(Collectors.toSet());
        int views = jdbc.queryForObject("select count(*) from prescription_view", Integer.class);
        int orders = jdbc.queryForObject("select count(*) from pharmacy_order", Integer.class);
        int different = jdbc.queryForObject(
                """
                select count(*) from medication_prescription p full join prescription_view v using (tenant, prescription_id)
                     full join pharmacy_order o using (tenant, prescription_id)
                where v.prescription is distinct from p.content or o.prescription::text is distinct from p.content
                      or v.version <> (p.content::json ->> 'version')::bigint""",
                Integer.class);
        List<JsonNode> happened = values(EVENT_TOPIC);
        List<JsonNode> told = Stream.of(CREATED, UPDATED)
                .flatMap(topic -> values(topic).stream())
                .toList();
        Map<String, Set<String>> events = ids(happened, "/commandId", "/eventId");
        Map<String, Set<String>> announced = ids(told, "/metadata/causationId", "/metadata/eventId");
        Set<String> distinct = distinct(events);
        Set<String> lost = new HashSet<>(applied);
        lost.removeAll(events.keySet());
        load.outcomes.keySet().stream().filter(id -> !outcomes.containsKey(id)).forEach(lost::add);
        long disordered = disordered(happened);
        long letters = Stream.of(COMMAND_TOPIC, EVENT_TOPIC, CREATED, UPDATED)
                .mapToLong(topic -> records(topic + ".dlq").size())
                .sum();
        JsonNode rebuild = rebuild();
        System.out.printf(
                "faults: cqrs, kill -9 x %d, PostgreSQL and broker kill -9 and restart: commands %d (%d to Kafka, %d of them twice; %d requests made again), applied %d, rejected %d, lost %d; events %d distinct (%d records repeated, %d sent and not marked at a kill, %d committed and not sent at another), out of order %d; handled again %d whose offset was not committed; announced %d distinct (%d repeated), prescriptions %d, views %d, orders %d, different %d, dead letters %d; a rebuild of %s events finds %s differences%n",
                kills,
                load.outcomes.size(),
                load.sentToKafka.get(),
                load.sentTwice.get(),
                load.retries.get(),
                applied.size(),
                load.outcomes.size() - applied.size(),
                lost.size(),
                distinct.size(),
                happened.size() - distinct.size(),
                sentUnmarked.size(),
                committedUnsent,
                disordered,
                handledUncommitted.size(),
                distinct(announced).size(),
                told.size() - distinct(announced).size(),
                prescriptions.size(),
                views,
                orders,
                different,
                letters,
                rebuild.path("eventsDone"),
                rebuild.path("differences"));

        assertThat(committedUnsent).isPositive();
        assertThat(lost).isEmpty();
        assertThat(outcomes).isEqualTo(load.outcomes);
        assertThat(prescriptions).isEqualTo(load.prescriptions);
        assertThat(views).isEqualTo(prescriptions.size());
        assertThat(orders).isEqualTo(prescriptions.size());
        assertThat(different).isZero();
        assertThat(events.keySet()).isEqualTo(applied);
        assertThat(distinct).hasSize(applied.size());
        assertThat(disordered).isZero();
        assertThat(happened.stream()
                        .filter(event ->
                                sentUnmarked.contains(event.path("eventId").asText()))
                        .count())
                .as("sent again")
                .isGreaterThanOrEqualTo(2L * sentUnmarked.size());
        assertThat(announced.keySet()).isEqualTo(distinct);
        assertThat(distinct(announced)).hasSize(distinct.size());
        assertThat(distinct(ids(values(CREATED), "/payload/id", "/metadata/eventId")))
                .hasSize(prescriptions.size());
        assertThat(letters).isZero();
        assertThat(rebuild.path("state").asText()).as(rebuild.toString()).isEqualTo("LIVE");
        assertThat(rebuild.path("differences").asInt()).isZero();
    }

    /** Counts the unfinished work in the order of the flow; finished work stays finished. */
    private static Map<String, Long> undone() throws Exception {
        Map<String, Long> undone = new LinkedHashMap<>();
        undone.put("commands", lag(HANDLER, COMMAND_TOPIC));
        undone.put("outbox", (long) unsent());
        undone.put("view", lag("medication-read-model-builder", EVENT_TOPIC));
        undone.put("announcements", lag("medication-prescription-announcer", EVENT_TOPIC));
        undone.put("orders", lag("pharmacy-prescription-processor", CREATED, UPDATED));
        return undone;
    }

    /** Returns the ids of the events that each cause led to. */
    private static Map<String, Set<String>> ids(List<JsonNode> events, String cause, String id) {
        Map<String, Set<String>> ids = new HashMap<>();
        events.forEach(event -> ids.computeIfAbsent(event.at(cause).asText(), c -> new HashSet<>())
                .add(event.at(id).asText()));
        return ids;
    }

    private static Set<String> distinct(Map<String, Set<String>> ids) {
        return ids.values().stream().flatMap(Set::stream).collect(Collectors.toSet());
    }

    /** Counts events whose first record does not follow that of the version before. */
    private static long disordered(List<JsonNode> events) {
        Set<String> seen = new HashSet<>();
        Map<String, Integer> last = new HashMap<>();
        return events.stream()
                .filter(event -> seen.add(event.path("eventId").asText()))
                .filter(event -> {
                    int version = event.at("/payload/version").asInt();
                    Integer before = last.put(event.path("aggregateId").asText(), version);
                    return version != (before == null ? 1 : before + 1);
                })
                .count();
    }

    private JsonNode rebuild() throws Exception {
        Instance any = instances.get(0);
        any.runtime.post(REBUILD + "/rebuild?dryRun=true", "application/json", "");
        return Patience.whileMoving(() -> any.runtime.get(REBUILD).body())
                .until(
                        () -> json(any.runtime.get(REBUILD).body()),
                        status -> !status.path("state").asText().equals("REBUILDING"));
    }

    private static int count(String condition) {
        return jdbc.queryForObject("select count(*) from medication_command where " + condition, Integer.class);
    }

    private static int unsent() {
        return jdbc.queryForObject("select count(*) from outbox where sent_at is null", Integer.class);
    }

    private static long lag(String group, String... topics) throws Exception {
        return Clients.lag(admin, group, List.of(topics));
    }

    private static Map<String, String> texts(String query) {
        Map<String, String> texts = new HashMap<>();
        jdbc.query(query, row -> {
            texts.put(row.getString(1), row.getString(2));
        });
        return texts;
    }

    private static List<ConsumerRecord<byte[], byte[]>> records(String topic) {
        return TopicRecords.read(Clients.brokers(servers), topic);
    }

    private static List<JsonNode> values(String topic) {
        return records(topic).stream().map(record -> json(record.value())).toList();
    }

    private static JsonNode json(byte[] text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode json(String text) {
        return json(Load.bytes(text));
    }

    private static ConditionFactory await() {
        return Patience.await();
    }
}
