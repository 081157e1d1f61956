package routes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.autoconfigure.actuate.observability.AutoConfigureObservability;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalManagementPort;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import sandbox.Servers;
import sandbox.Tokens;

/**
 * Runs the whole runtime against real servers that all tests of the JVM share, so each test uses ids of its own. The
 * methods offer an HTTP client and a Kafka client.
 */
@AutoConfigureObservability(tracing = false)
@SpringBootTest(
        classes = EventBroker.class,
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {"management.server.port=0", "server.address=127.0.0.1", "management.server.address=127.0.0.1"})
public abstract class RuntimeIT {

    protected static final Servers SERVERS = Servers.shared();

    /** Tokens of the shared issuer. */
    protected static final Tokens TOKENS = new Tokens(SERVERS.tokenIssuer().address());

    @Autowired
    protected JdbcClient jdbc;

    @LocalServerPort
    private int port;

    @LocalManagementPort
    private int managementPort;

    @DynamicPropertySource
    static void servers(DynamicPropertyRegistry registry) {
        SERVERS.properties().forEach((name, value) -> registry.add(name, () -> value));
        // a second tenant on the same FHIR server
        registry.add("event-broker.fhir.servers.neighbour.url", () -> SERVERS.properties()
                .get("event-broker.fhir.servers.default.url"));
    }

    protected URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    /** Returns the path of the next page, for {@link #get}; null on the last page. */
    protected static String next(HttpResponse<?> page) {
        return page.headers()
                .firstValue("Link")
                .map(link -> page.uri().resolve(link.substring(1, link.indexOf('>'))))
                .map(next -> next.getRawPath() + "?" + next.getRawQuery())
                .orElse(null);
    }

    /** Sends the request as the client {@code sandbox}, as all methods below do. */
    protected HttpResponse<String> get(String path) {
        return exchange(request(path));
    }

    /** Begins a request with the token of the client {@code sandbox}. */
    protected HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).header("Authorization", TOKENS.sandbox());
    }

    protected URI managementUri(String path) {
        return URI.create("http://127.0.0.1:" + managementPort + path);
    }

    /** Gets an answer that need not be text. */
    protected HttpResponse<byte[]> download(String path) {
        return RunningImage.exchange(request(path), HttpResponse.BodyHandlers.ofByteArray());
    }

    protected HttpResponse<String> management(String path) {
        return exchange(HttpRequest.newBuilder(managementUri(path)));
    }

    /** @param headers names and values in turn */
    protected HttpResponse<String> post(String path, String contentType, String body, String... headers) {
        HttpRequest.Builder request =
                request(path).header("Content-Type", contentType).POST(HttpRequest.BodyPublishers.ofString(body));
        return exchange(headers.length == 0 ? request : request.headers(headers));
    }

    protected static HttpResponse<String> exchange(HttpRequest.Builder request) {
        return RunningImage.exchange(request);
    }

    /** Sends a record as any Kafka client would, and waits for the acknowledgement. */
    protected static void send(String topic, String key, byte[] value, Map<String, String> headers) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers()), new ByteArraySerializer(), new ByteArraySerializer())) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, bytes(key), value);
            headers.forEach((name, text) -> record.headers().add(name, bytes(text)));
            producer.send(record).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Reads the whole topic, partition by partition. */
    protected static List<ConsumerRecord<byte[], byte[]>> records(String topic) {
        return TopicRecords.read(brokers(), topic);
    }

    /** Returns the last header of that name as text; null without one. */
    protected static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    protected static String brokers() {
        return SERVERS.properties().get("camel.component.kafka.brokers");
    }

    protected static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    protected static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    protected static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
