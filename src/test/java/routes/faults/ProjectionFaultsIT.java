package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import eventbroker.patient.Metadata;
import eventbroker.patient.PatientEvent;
import eventbroker.patient.PatientEventPayload;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.client.RestClient;
import routes.platform.avro.AvroCodec;
import routes.platform.avro.SchemaRegistry;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import sandbox.Servers;

/**
 * Kills instances under load and during a rebuild. The patient view stays the fold of the sent events, and a rebuild
 * finds no difference.
 */
@Tag("faults")
class ProjectionFaultsIT {

    private static final String TOPIC = "patient.events";
    private static final String VIEW = "/api/projections/patient-view";
    private static final int PATIENTS = 2000;

    /** Patients without events during a rebuild: only the rebuild writes their view. */
    private static final int QUIET = 100;

    private static Servers servers;
    private static JdbcTemplate jdbc;

    private final String run = UUID.randomUUID().toString();
    private final List<Instance> instances = new ArrayList<>();

    /** The expected last name of each patient, by id. */
    private final Map<String, String> expected = new TreeMap<>();

    private final Random random = new Random();
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private AvroCodec avro;
    private KafkaProducer<byte[], byte[]> producer;
    private volatile boolean loading;
    private volatile int spared;
    private int sent;
    private int poison;

    @BeforeAll
    static void startServers() {
        servers = Servers.own("projection-faults-servers");
        jdbc = new JdbcTemplate(Clients.database(servers));
    }

    @AfterAll
    static void stopServers() {
        servers.close();
    }

    @AfterEach
    void stopInstances() {
        loading = false;
        instances.forEach(Instance::close);
        if (producer != null) {
            producer.close();
        }
    }

    @Test
    void killedUnderLoad() throws Exception {
        start();
        Thread load = load();
        for (int kill = 0; kill < 4; kill++) {
            long goal = projected() + 1 + random.nextInt(1000);
            Patience.whileMoving(ProjectionFaultsIT::projected).until(() -> projected() >= goal);
            instances.remove(0).kill();
            instance();
        }
        stop(load);

        verify("kill -9 x 4 under load");
    }

    @Test
    void killedDuringARebuildUnderLoad() throws Exception {
        start();
        for (int i = 0; i < 60_000; i++) {
            send();
        }
        awaitView();
        spared = QUIET;
        Thread load = load();
        List<String> killedAt = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
            assertThat(jdbc.update(
                            "update patient_view set view = view || '{\"city\":\"wrong\"}' where patient_id = any(?)",
                            (Object) quiet()))
                    .isEqualTo(QUIET);
            assertThat(operate("POST", "/rebuild").path("state").asText()).isEqualTo("REBUILDING");
            awaitRebuilt(5 + random.nextInt(20));
            instances.remove(0).kill();
            // by the other instance
            JsonNode before = awaitRebuilt(35 + random.nextInt(20));
            instances.remove(0).kill();
            assertThat(jdbc.queryForObject(
                            "select count(*) from projection_rebuild where state = 'RUNNING'", Integer.class))
                    .isEqualTo(1);
            killedAt.add(before.path("eventsDone") + "/" + before.path("eventsTotal"));
            instance();
            assertThat(operate("GET", "").path("eventsDone").asLong())
                    .as("goes on where it was")
                    .isGreaterThanOrEqualTo(before.path("eventsDone").asLong());
            instance();
            JsonNode status = awaitEnd();
            assertThat(status.path("state").asText()).as(status.toString()).isEqualTo("LIVE");
            assertThat(status.path("differences").asInt()).isEqualTo(QUIET);
            assertThat(jdbc.queryForObject(
                            "select count(*) from patient_view where view ->> 'city' = 'wrong'", Integer.class))
                    .isZero();
        }
        stop(load);

        verify("kill -9 x 6 during 3 rebuilds under load, at " + killedAt);
    }

    private void start() throws Exception {
        instance();
        instance();
        connect();
    }

    private void connect() {
        // the first start registered the schema
        int schema = RestClient.create(servers.schemaRegistry().address())
                .get()
                .uri("/subjects/patient-events-value/versions/latest")
                .retrieve()
                .body(JsonNode.class)
                .path("id")
                .asInt();
        avro = new AvroCodec(
                new AsyncApi(new ClassPathResource("contract/asyncapi.yaml")), new SchemaRegistry(RestClient.create()) {
                    @Override
                    public Optional<Integer> id(AvroSchema ours) {
                        return Optional.of(schema);
                    }
                });
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", Clients.brokers(servers), "linger.ms", 5, "delivery.timeout.ms", 600_000),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    private Thread load() {
        loading = true;
        Thread load = new Thread(() -> {
            try {
                while (loading) {
                    send();
                    TimeUnit.MILLISECONDS.sleep(2);
                }
            } catch (Exception e) {
                failure.set(e);
            }
        });
        load.start();
        return load;
    }

    private void stop(Thread load) throws Exception {
        loading = false;
        load.join();
        producer.flush();
        assertThat(failure.get()).isNull();
    }

    /** Sends an event, sometimes twice, sometimes poison. */
    private void send() throws Exception {
        String patient = run + "-" + (spared + random.nextInt(PATIENTS - spared));
        sent++;
        if (sent % 100 == 0) {
            poison++;
            producer.send(new ProducerRecord<>(TOPIC, bytes(patient), bytes("poison " + sent)));
            return;
        }
        String name = "n" + sent;
        byte[] value = value(name, random.nextInt(1_000_000));
        for (int times = random.nextInt(20) == 0 ? 2 : 1; times > 0; times--) {
            producer.send(new ProducerRecord<>(TOPIC, bytes(patient), value));
        }
        expected.put(patient, name);
    }

    private byte[] value(String name, long timestamp) throws Exception {
        return avro.encode(PatientEvent.newBuilder()
                .setMetadata(Metadata.newBuilder()
                        .setEventId(UUID.randomUUID().toString())
                        .setEventType("patient.profile.updated")
                        .setEventSource("patient-service")
                        .setTimestamp(Instant.ofEpochMilli(timestamp))
                        .build())
                .setPayload(PatientEventPayload.newBuilder().setLastName(name).build())
                .build());
    }

    private Map<String, String> view() {
        Map<String, String> view = new TreeMap<>();
        jdbc.query(
                "select patient_id, view ->> 'lastName' from patient_view where patient_id like '" + run + "%'",
                row -> {
                    view.put(row.getString(1), row.getString(2));
                });
        return view;
    }

    private void awaitView() {
        producer.flush();
        Patience.whileMoving(ProjectionFaultsIT::projected)
                .pollInterval(Duration.ofSeconds(1))
                .until(() -> view().equals(expected));
    }

    /** Counts the records that the view has read. */
    private static long projected() {
        return jdbc.queryForObject(
                "select coalesce(sum(next_offset), 0) from projection_position where projection = 'patient-view'",
                Long.class);
    }

    private String[] quiet() {
        return IntStream.range(0, QUIET).mapToObj(n -> run + "-" + n).toArray(String[]::new);
    }

    /** @return state of the rebuild after this share of its work */
    private JsonNode awaitRebuilt(int percent) {
        return Patience.whileMoving(() -> operate("GET", ""))
                .pollInterval(Duration.ofMillis(20))
                .until(
                        () -> operate("GET", ""),
                        // a rebuild that has just begun does not know its total yet
                        status -> status.path("eventsDone").asLong() > 0
                                && status.path("eventsDone").asLong() * 100
                                        >= status.path("eventsTotal").asLong() * percent);
    }

    /** @return state of the rebuild after its end */
    private JsonNode awaitEnd() {
        return Patience.whileMoving(() -> operate("GET", ""))
                .until(
                        () -> operate("GET", ""),
                        status -> !status.path("state").asText().equals("REBUILDING"));
    }

    private void verify(String what) throws Exception {
        awaitView();
        operate("POST", "/rebuild?dryRun=true");
        JsonNode status = awaitEnd();
        System.out.printf(
                "faults: projection, %s: sent %d, poison %d, patients %d, then %s differences of %s events at %s per second%n",
                what,
                sent,
                poison,
                expected.size(),
                status.path("differences"),
                status.path("eventsDone"),
                status.path("rate"));
        assertThat(status.path("state").asText()).as(status.toString()).isEqualTo("LIVE");
        assertThat(status.path("differences").asInt()).isZero();
        assertThat(status.path("poisonSkipped").asInt()).isGreaterThanOrEqualTo(poison);
    }

    private JsonNode operate(String method, String path) throws Exception {
        Instance any = instances.get(instances.size() - 1);
        return new ObjectMapper()
                .readTree((method.equals("GET")
                                ? any.runtime.get(VIEW + path)
                                : any.runtime.post(VIEW + path, "application/json", ""))
                        .body());
    }

    private void instance() throws Exception {
        Instance instance = new Instance(servers, Instance.OWN_ROUTES);
        instances.add(instance);
        instance.ready();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
