package routes.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.core.io.ClassPathResource;
import routes.HostileJson;
import routes.KnownSchemas;
import routes.Requests;
import routes.platform.Caller;
import routes.platform.Json;
import routes.platform.avro.AvroCodec;
import routes.platform.contract.AsyncApi;
import routes.platform.error.ProblemException;

/** HTTP accepts an event exactly when every consumer of its topic can read it. */
class EventAgreementTest {

    private static final int CASES = 6000;
    private static final String TOPIC = "medication.prescription.created";
    private static final DefaultCamelContext CONTEXT = new DefaultCamelContext();
    private static final Caller CALLER = new Caller("sandbox", "home", "home", null, Set.of(), Set.of());

    private static final String PAYLOAD =
            """
            {"id": "rx-1", "patientId": "p-1", "prescriberId": "Dr. A", "status": "active", "quantity": 30, "refills": 2,
             "medication": {"name": "Aspirin", "ndc": "0002-3227-30", "rxnorm": null}, "notes": ["a"]}""";

    private static final String ENVELOPE =
            """
            {"metadata": {"eventId": "0a6e3c0b-5c58-4a53-8f9f-0e2b7a11f0f7", "eventType": "t", "eventSource": "s", "timestamp": 1,
              "correlationId": "c", "causationId": "d", "version": "1.0.0",
              "security": {"principal": "p", "tenant": "other", "claims": {"scope": "a", "tenant": "b"}}}, "payload": %s}"""
                    .formatted(PAYLOAD);

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final EventReader events = new EventReader(contract, new AvroCodec(contract, new KnownSchemas(contract)));
    private final EnvelopeWrapper http = new EnvelopeWrapper(contract, events);

    @Test
    @Timeout(120)
    void acceptsTheSameAsItsConsumers() throws Exception {
        int accepted = 0;
        int refused = 0;
        for (int seed = 0; seed < CASES; seed++) {
            byte[] sent = new HostileJson(seed).of(PAYLOAD, ENVELOPE, ENVELOPE);
            Exchange exchange = exchange(sent);
            try {
                http.wrap(TOPIC, exchange);
            } catch (ProblemException e) {
                // an event may be acceptable although its forwarded form is too large to read
                if (!e.getMessage().startsWith("JSON exceeds") && isEnvelope(sent)) {
                    assertThatThrownBy(
                                    () -> events.decode(sent, TOPIC, Map.of(), -1),
                                    "seed " + seed + " " + HostileJson.start(sent))
                            .isInstanceOf(ProblemException.class);
                    refused++;
                }
                continue;
            } catch (RuntimeException | StackOverflowError e) {
                fail("seed " + seed + ", a failure that no caller is to blame for: " + HostileJson.start(sent), e);
            }
            accepted++;
            byte[] value = exchange.getMessage().getBody(byte[].class);
            try {
                Event<?> read =
                        events.decode(value, TOPIC, exchange.getMessage().getHeaders(), System.currentTimeMillis());
                assertThat(read.metadata().tenant()).isEqualTo("home");
                assertThat(read.metadata().eventId())
                        .isEqualToIgnoringCase(exchange.getProperty(PublishReceipt.PROPERTY, PublishReceipt.class)
                                .eventId());
                UUID.fromString(read.metadata().eventId());
                JsonNode payload = (JsonNode) read.payload();
                for (String indexed : List.of("id", "patientId")) {
                    assertThat(payload.path(indexed).textValue())
                            .isNotEmpty()
                            .matches(text -> text.chars().noneMatch(Character::isISOControl), "plain text");
                }
            } catch (Exception | AssertionError e) {
                fail("seed " + seed + ", accepted, and poison: " + HostileJson.start(value), e);
            }
        }
        assertThat(accepted).isBetween(CASES / 5, CASES * 4 / 5);
        assertThat(refused).isGreaterThan(CASES / 10);
    }

    @Test
    void readsOnlyPlainTextFromHeaders() throws Exception {
        byte[] flat = bytes(
                """
                {"commandId":"c-1","commandType":"CancelPrescription","aggregateId":"a","timestamp":1,"payload":{}}""");
        int read = 0;
        for (int seed = 0; seed < CASES; seed++) {
            Map<String, Object> headers = new HostileJson(seed).headers();
            try {
                EventMetadata metadata =
                        events.decode(flat, "medication.commands", headers, -1).metadata();
                read++;
                assertThat(metadata.correlationId()).hasSizeBetween(1, 512).doesNotContainPattern("\\p{Cntrl}");
                assertThat(metadata.tenant()).isNotBlank().doesNotContainPattern("\\p{Cntrl}");
            } catch (ProblemException e) {
                assertThat(e).hasMessageStartingWith("the tenant is blank");
            }
        }
        assertThat(read).isBetween(CASES / 5, CASES * 9 / 10);
    }

    private static boolean isEnvelope(byte[] sent) {
        try {
            return Json.readObject(sent).path("metadata").isObject();
        } catch (ProblemException e) {
            return false;
        }
    }

    private static Exchange exchange(byte[] body) {
        Exchange exchange = new DefaultExchange(CONTEXT);
        Requests.post(CALLER).bindTo(exchange);
        exchange.getMessage().setBody(body);
        return exchange;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
