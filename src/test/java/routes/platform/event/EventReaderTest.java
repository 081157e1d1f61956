package routes.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.DefaultMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.core.io.ClassPathResource;
import routes.KnownSchemas;
import routes.platform.avro.AvroCodec;
import routes.platform.contract.AsyncApi;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.UnreadableRecordException;
import routes.platform.http.CorrelationId;

/** The values of a record that reach the log and the next step. */
class EventReaderTest {

    private static final String TOPIC = "medication.commands";
    private static final byte[] COMMAND = bytes(
            """
            {"commandId":"c-1","commandType":"CancelPrescription","aggregateId":"a","timestamp":1,"payload":{}}""");

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final EventReader events = new EventReader(contract, new AvroCodec(contract, new KnownSchemas(contract)));
    private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());

    @ParameterizedTest
    @ValueSource(strings = {"a\nWARN forged", "\u0000", "\u0085", "\u001b[31m", " ", "long"})
    void logsAnEventUnderItsOwnIdWhenTheHeaderFitsNoLogLine(String correlation) throws Exception {
        Event<?> event = read(COMMAND, correlation);

        assertThat(event.metadata().correlationId()).isEqualTo("c-1");
        assertThat(logged()).isEqualTo("c-1");
        assertThat(exchange.getMessage().getHeader("correlation-id")).isEqualTo("");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nWARN forged", "\u0000", "long"})
    void logsPoisonUnderNoIdWhenTheHeaderFitsNoLogLine(String correlation) {
        assertThatThrownBy(() -> read(bytes("{"), correlation)).isInstanceOf(UnreadableRecordException.class);
        assertThat(logged()).isNull();

        assertThatThrownBy(() -> events.readAll(List.of(record(bytes("{"), correlation)), exchange))
                .isInstanceOf(FailedRecordInBatchException.class);
        assertThat(logged()).isNull();
    }

    @Test
    void logsPoisonUnderTheIdOfItsHeader() {
        assertThatThrownBy(() -> read(bytes("{"), "visit-1")).isInstanceOf(UnreadableRecordException.class);

        assertThat(logged()).isEqualTo("visit-1");
    }

    @Test
    void passesOnAHeaderThatIsPlainText() throws Exception {
        read(COMMAND, "visité-1");

        assertThat(logged()).isEqualTo("visité-1");
        assertThat(exchange.getMessage().getHeader("correlation-id")).isEqualTo("visité-1");
    }

    private Object logged() {
        return exchange.getProperty(CorrelationId.PROPERTY);
    }

    private Event<?> read(byte[] value, String correlation) throws Exception {
        exchange.setMessage(record(value, correlation));
        return events.read(value, TOPIC, exchange.getMessage().getHeaders(), exchange);
    }

    private Message record(byte[] value, String correlation) {
        Message record = new DefaultMessage(exchange.getContext());
        record.setBody(value);
        record.setHeaders(new HashMap<>(Map.of(
                KafkaConstants.TOPIC,
                TOPIC,
                "correlation-id",
                correlation.equals("long") ? "x".repeat(1_000_000) : correlation)));
        return record;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
