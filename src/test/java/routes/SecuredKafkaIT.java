package routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static routes.RunningImage.READY;
import static routes.RunningImage.await;
import static routes.RunningImage.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.AsyncApi;
import sandbox.Acls;
import sandbox.Servers;
import sandbox.Topics;

/**
 * The image beside a broker with TLS and passwords, which allows what docs/operations/security.md has the operator
 * allow, and nothing else.
 */
class SecuredKafkaIT {

    private static final String CREATED = "medication.prescription.created";
    private static final String JSON = "application/json";

    private static Servers servers;
    private static Image image;
    private static RunningImage runtime;

    private final String id = "rx-" + UUID.randomUUID();

    @BeforeAll
    static void start() throws Exception {
        servers = Servers.secured("secured-servers");
        Map<String, List<AclBinding>> roles = Acls.of(new AsyncApi(new ClassPathResource("contract/asyncapi.yaml")));
        try (Admin admin = Admin.create(servers.kafkaClient("admin"))) {
            admin.createAcls(roles.values().stream().flatMap(List::stream).toList())
                    .all()
                    .get();
            Topics.create(admin, 1, "somebody.elses");
            assertThat(admin.describeAcls(AclBindingFilter.ANY).values().get())
                    .as("no rule for everybody")
                    .noneMatch(binding -> binding.entry().principal().equals("User:*"));
        }
        image = new Image(Path.of("target", "image-secured"));
        runtime = image.run(RunningImage.environment(servers)).awaitReady();
        try (Admin admin = Admin.create(servers.kafkaClient("admin"))) {
            admin.deleteAcls(roles.get(Acls.PROVISIONING).stream()
                            .map(AclBinding::toFilter)
                            .toList())
                    .all()
                    .get();
        }
    }

    @AfterAll
    static void stop() {
        if (runtime != null) {
            runtime.close();
        }
        if (servers != null) {
            servers.close();
        }
    }

    @Test
    void publishesConsumesAndReprocessesWithTheAclsOfItsRole() {
        HttpResponse<String> answer =
                runtime.post("/api/topics/" + CREATED + "/events", JSON, prescription(), "X-Correlation-Id", id);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        awaitOne("/api/pharmacy-orders?patientId=" + id);
        awaitOne("/api/activity?correlationId=" + id);

        String poison = id + "-poison";
        send("medication-service", CREATED, poison, "{}");
        awaitOne("/api/dead-letters?key=" + poison);
        String letter = json(runtime.get("/api/dead-letters?key=" + poison).body())
                .at("/0/id")
                .asText();
        assertThat(runtime.post("/api/dead-letters/" + letter + "/reprocess", JSON, envelope(poison))
                        .statusCode())
                .isEqualTo(202);
        awaitOne("/api/activity?correlationId=" + poison);
        assertThat(runtime.management(READY).statusCode()).isEqualTo(200);
        JsonNode kafka = json(runtime.management("/observe/health").body()).at("/components/kafka");
        assertThat(kafka.path("status").asText()).isEqualTo("UP");
        assertThat(runtime.outputWith("uthorizationException")).isEmpty();
    }

    @Test
    void letsAnEventSourceOnlyWriteToItsTopics() {
        assertThatThrownBy(() -> send("medication-service", CREATED + ".dlq", id, "{}"))
                .hasRootCauseInstanceOf(TopicAuthorizationException.class);
        assertThatThrownBy(() -> read("medication-service", CREATED)).isInstanceOf(TopicAuthorizationException.class);
    }

    @Test
    void letsAStrangerDoNothing() {
        assertThatThrownBy(() -> send("stranger", CREATED, id, "{}"))
                .hasRootCauseInstanceOf(TopicAuthorizationException.class);
        assertThatThrownBy(() -> read("stranger", CREATED)).isInstanceOf(TopicAuthorizationException.class);
    }

    @Test
    void letsTheRuntimeUseOnlyTheTopicsOfTheContract() {
        assertThatThrownBy(() -> send(Acls.RUNTIME, "somebody.elses", id, "{}"))
                .hasRootCauseInstanceOf(TopicAuthorizationException.class);
        assertThatThrownBy(() -> read(Acls.RUNTIME, "somebody.elses")).isInstanceOf(TopicAuthorizationException.class);
    }

    @Test
    void worksWithATokenInPlaceOfAPassword() throws IOException {
        worksWith(servers.kafkaPropertiesWithToken());
    }

    @Test
    void worksWithACertificateInPlaceOfAPassword() throws IOException {
        worksWith(servers.kafkaPropertiesWithCertificate());
    }

    /**
     * As another instance, which may not create topics: readiness needs the admin client and a member of each group,
     * the event a producer.
     */
    private void worksWith(Map<String, String> kafka) throws IOException {
        Map<String, String> environment = RunningImage.environment(servers);
        environment.keySet().removeIf(name -> name.startsWith("CAMEL_COMPONENT_KAFKA_"));
        environment.put("EVENT_BROKER_TOPICS_PROVISION", "verify");
        environment.put("SPRING_APPLICATION_JSON", new ObjectMapper().writeValueAsString(kafka));
        try (RunningImage other = image.run(environment).awaitReady()) {
            HttpResponse<String> answer = other.post("/api/topics/" + CREATED + "/events", JSON, prescription());

            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
            awaitOne("/api/pharmacy-orders?patientId=" + id);
            assertThat(other.outputWith("uthorizationException")).isEmpty();
        }
    }

    private static void awaitOne(String path) {
        await().untilAsserted(() ->
                assertThat(json(runtime.get(path).body())).as(path).hasSize(1));
    }

    private static void send(String user, String topic, String key, String value) {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(client(user), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(topic, key.getBytes(), value.getBytes()))
                    .get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void read(String user, String topic) {
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(client(user), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.partitionsFor(topic, Duration.ofSeconds(10));
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            consumer.seekToBeginning(consumer.assignment());
            consumer.poll(Duration.ofSeconds(10));
        }
    }

    private static Map<String, Object> client(String user) {
        Map<String, Object> configuration = new HashMap<>(servers.kafkaClient(user));
        configuration.put("max.block.ms", 10_000);
        return configuration;
    }

    private String prescription() {
        return "{\"id\":\"%s\",\"patientId\":\"%s\",\"medication\":{\"name\":\"Amoxicillin\"}}".formatted(id, id);
    }

    private String envelope(String correlationId) {
        return "{\"metadata\":{\"eventId\":\"%s\",\"eventType\":\"%s\",\"eventSource\":\"medication-service\",\"timestamp\":1,\"correlationId\":\"%s\",\"security\":{\"principal\":\"sandbox\"}},\"payload\":%s}"
                .formatted(
                        UUID.randomUUID(),
                        CREATED,
                        correlationId,
                        prescription().replace(id, correlationId));
    }
}
