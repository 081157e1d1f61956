package routes.platform.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Body;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.Route;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultMessage;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;
import routes.RuntimeIT;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.error.ProblemException;
import routes.platform.event.Event;
import routes.platform.event.EventMetadata;
import routes.platform.event.EventReader;
import routes.platform.state.HandledEvents;
import sandbox.Topics;

/** Routes with {@code transacted} and {@code outbox:} behind the real consumer. */
class TransactionPolicyIT extends RuntimeIT {

    private static final String EVENTS = "pharmacy.refills";

    private final String source = "transacted-it-" + UUID.randomUUID();
    private final String target = source + "-target";
    private final List<String> threads = new CopyOnWriteArrayList<>();
    private final AtomicBoolean down = new AtomicBoolean();

    @Autowired
    private CamelContext camel;

    @Autowired
    private ProducerTemplate template;

    @Autowired
    private Admin admin;

    @Autowired
    private Outbox outbox;

    @Autowired
    private HandledEvents handled;

    @Autowired
    private EventReader events;

    @Autowired
    private TransactionTemplate transactions;

    @BeforeEach
    void startRoutes() throws Exception {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(60));
        Topics.create(admin, 3, source, source + ".dlq", target);
        jdbc.sql("create table if not exists transacted_it (source text, value text)")
                .update();
        camel.getRegistry().bind("outboxEffects", new Effects());
        load(Files.readString(Path.of("src/test/resources/outbox/outbox.camel.yaml"))
                .replace("{{outbox.source}}", source)
                .replace("{{outbox.group}}", source)
                .replace("{{outbox.target}}", target));
    }

    @AfterEach
    void stopRoutes() throws Exception {
        for (String id : camel.getRoutes().stream().map(Route::getRouteId).toList()) {
            if (id.startsWith("outbox-") || id.equals("pubsub-take-refill")) {
                camel.getRouteController().stopRoute(id);
                camel.removeRoute(id);
            }
        }
        camel.getRegistry().unbind("outboxEffects");
        jdbc.sql("delete from outbox where topic = ?").param(target).update();
        admin.deleteTopics(List.of(source, source + ".dlq", target)).all().get();
    }

    /** What a pattern does between its topic and the outbox. */
    public final class Effects {

        public void change(@Body byte[] value) {
            threads.add(Thread.currentThread().getName());
            jdbc.sql("insert into transacted_it values (?, ?)")
                    .params(source, text(value))
                    .update();
        }

        public void mayFail(@Body byte[] value) {
            threads.add(Thread.currentThread().getName());
            if (text(value).startsWith("poison")) {
                throw new ProblemException(400, "poison");
            }
            if (down.get()) {
                throw new org.springframework.dao.QueryTimeoutException("down");
            }
        }
    }

    @Test
    void commitsTheChangeAndTheEventTogetherOnOneThread() {
        send(source, "k", bytes("v"), Map.of("correlation-id", "c-1", "unknown", "x"));

        await().untilAsserted(() -> assertThat(records(target)).hasSize(1));
        ConsumerRecord<byte[], byte[]> sent = records(target).get(0);
        assertThat(changes()).containsExactly("v");
        assertThat(text(sent.key())).isEqualTo("k");
        assertThat(text(sent.value())).isEqualTo("v");
        assertThat(header(sent, "correlation-id")).isEqualTo("c-1");
        assertThat(header(sent, "causation-id")).isEmpty();
        assertThat(header(sent, "tenant")).isEmpty();
        assertThat(sent.headers().lastHeader("unknown")).isNull();
        assertThat(threads).hasSize(2).allMatch(threads.get(0)::equals);
    }

    @Test
    void rollsBackPoisonAndContinuesItsKey() {
        send(source, "k", bytes("poison"), Map.of());
        send(source, "k", bytes("good"), Map.of());

        await().untilAsserted(() -> assertThat(records(target)).hasSize(1));
        assertThat(text(records(target).get(0).value())).isEqualTo("good");
        assertThat(changes()).containsExactly("good");
        assertThat(records(source + ".dlq")).singleElement().satisfies(letter -> assertThat(
                        header(letter, "consumer-group"))
                .isEqualTo(source));
    }

    @Test
    void rollsBackWhileADependencyIsDown() {
        down.set(true);
        send(source, "k", bytes("1"), Map.of());
        send(source, "k", bytes("2"), Map.of());
        await().until(() -> threads.size() > 4);
        assertThat(changes()).isEmpty();
        assertThat(jdbc.sql("select count(*) from outbox where topic = ?")
                        .param(target)
                        .query(Integer.class)
                        .single())
                .isZero();
        down.set(false);

        await().untilAsserted(() -> assertThat(records(target)).hasSize(2));
        assertThat(records(target)).extracting(record -> text(record.value())).containsExactly("1", "2");
        assertThat(changes()).containsExactly("1", "2");
    }

    @Test
    void addsEachMessageOfAListAndATombstoneForNull() {
        Exchange done = transactions.execute(status -> template.send("direct:outbox-untransacted", exchange -> {
            Message first = new DefaultMessage(exchange);
            first.setHeader(KafkaConstants.KEY, "a");
            first.setHeader("tenant", "t-1");
            first.setBody("text");
            Message second = new DefaultMessage(exchange);
            second.setHeader(KafkaConstants.KEY, bytes("b"));
            exchange.getMessage().setBody(List.of(first, second));
        }));
        assertThat(done.getException()).isNull();

        await().untilAsserted(() -> assertThat(records(target)).hasSize(2));
        assertThat(records(target)).allSatisfy(sent -> {
            if ("a".equals(text(sent.key()))) {
                assertThat(text(sent.value())).isEqualTo("text");
                assertThat(header(sent, "tenant")).isEqualTo("t-1");
            } else {
                assertThat(sent.value()).isNull();
            }
        });
    }

    @Test
    void namesTheMistakeOfARoute() {
        Exchange untransacted = template.send("direct:outbox-untransacted", exchange -> {
            exchange.getMessage().setBody("v");
        });
        assertThat(untransacted.getException())
                .isInstanceOf(OutboxNeedsTransactionException.class)
                .hasMessageContaining("outbox:" + target)
                .hasMessageContaining("transacted");

        Exchange object = transactions.execute(status -> template.send(
                "direct:outbox-untransacted", exchange -> exchange.getMessage().setBody(Json.readObject(bytes("{}")))));
        assertThat(object.getException())
                .hasMessage(
                        "outbox:" + target
                                + ": the body is a com.fasterxml.jackson.databind.node.ObjectNode, not bytes or text: marshal it");
    }

    /** The example of add-a-consumer.md: a route in YAML, and a method in Java. */
    @Test
    void runsTheDocumentedExamples() throws Exception {
        if (!admin.listTopics().names().get().contains(EVENTS)) {
            Topics.create(admin, 6, EVENTS);
        }
        RefillDesk desk = new RefillDesk(jdbc, handled, outbox);
        camel.getRegistry().bind("refillDesk", desk);
        load(Documented.example("yaml"));
        Event<JsonNode> event = event();

        Exchange done = template.send("direct:pubsub-take-refill", exchange -> {
            exchange.getMessage().setHeader(KafkaConstants.KEY, bytes(source));
            exchange.getMessage().setBody(event);
        });
        assertThat(done.getException()).isNull();
        transactions.executeWithoutResult(status -> desk.renew(event));
        transactions.executeWithoutResult(status -> desk.renew(event));

        await().untilAsserted(() -> assertThat(sent()).hasSize(2));
        assertThat(header(sent().get(0), "causation-id"))
                .isEqualTo(event.metadata().eventId());
        assertThat(header(sent().get(1), "causation-id"))
                .isEqualTo(event.metadata().eventId());
        assertThat(header(sent().get(1), "correlation-id")).isEqualTo("visit-1");
        assertThat(normalized(
                        Files.readString(Path.of("src/test/java/routes/platform/outbox/TransactionPolicyIT.java"))))
                .contains(normalized(Documented.example("java")));
    }

    private List<ConsumerRecord<byte[], byte[]>> sent() {
        return records(EVENTS).stream()
                .filter(record -> source.equals(text(record.key())))
                .toList();
    }

    @SuppressWarnings("unchecked")
    private Event<JsonNode> event() throws IOException {
        String json =
                """
                {"metadata":{"eventId":"%s","eventType":"t","eventSource":"medication-service","timestamp":1,"correlationId":"visit-1"},
                 "payload":{"id":"%s","patientId":"p","medication":{"name":"n"}}}"""
                        .formatted(UUID.randomUUID(), source);
        return (Event<JsonNode>) events.read(
                bytes(json),
                "medication.prescription.created",
                Map.of(),
                new org.apache.camel.support.DefaultExchange(camel));
    }

    private static String normalized(String text) {
        return text.replaceAll("\\s+", "");
    }

    private List<String> changes() {
        return jdbc.sql("select value from transacted_it where source = ?")
                .param(source)
                .query(String.class)
                .list();
    }

    private void load(String yaml) throws Exception {
        PluginHelper.getRoutesLoader(camel)
                .loadRoutes(ResourceHelper.fromString("outbox-it-" + UUID.randomUUID() + ".camel.yaml", yaml));
    }

    /** A bean of a pattern, as in add-a-consumer.md. */
    public static class RefillDesk {

        private final JdbcClient jdbc;
        private final HandledEvents handled;
        private final Outbox outbox;

        RefillDesk(JdbcClient jdbc, HandledEvents handled, Outbox outbox) {
            this.jdbc = jdbc;
            this.handled = handled;
            this.outbox = outbox;
        }

        public byte[] take(@Body Event<JsonNode> event) {
            store(event.payload().path("id").asText());
            return value(event.metadata());
        }

        @Transactional
        public void renew(@Body Event<JsonNode> event) {
            String prescription = event.payload().path("id").asText();
            if (handled.markHandled(
                    "refill-desk", event.metadata().tenant(), event.metadata().eventId(), prescription)) {
                store(prescription);
                EventMetadata renewed = new EventMetadata(
                        NameBasedUuid.of("renewed", event.metadata().eventId()).toString(),
                        "RefillRenewed",
                        event.metadata().timestamp(),
                        event.metadata().correlationId(),
                        event.metadata().eventId(),
                        event.metadata().tenant());
                outbox.add(OutboxRecord.event("pharmacy.refills", prescription, value(renewed), renewed, Map.of()));
            }
        }

        private void store(String prescription) {
            jdbc.sql("insert into transacted_it values (?, 'refill')")
                    .param(prescription)
                    .update();
        }

        private static byte[] value(EventMetadata metadata) {
            JsonNode value = Json.readObject(bytes(
                    """
                    {"eventId":"%s","eventType":"RefillRenewed","aggregateId":"a","timestamp":1,"payload":{}}"""
                            .formatted(metadata.eventId())));
            return Json.write(value);
        }
    }
}
