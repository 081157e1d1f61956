package routes.platform.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.AsyncApi;

/** The content of a dead letter. */
class DeadLetterChannelTest {

    private final CamelContext camel = new DefaultCamelContext();
    private final DeadLetterChannel deadLetters = new DeadLetterChannel(
            new AsyncApi(new ClassPathResource("contract/asyncapi.yaml")), new FailureClassifier());

    @Test
    void keepsTheHeadersOfItsRecordApartFromItsOwn() {
        List<Header> original = List.of(
                header("a", "1"),
                header("timestamp", "theirs"),
                header("b", null),
                header("a", "2"),
                header("A", "3"),
                header("consumer-group", null),
                header("kafka.OVERRIDE_TOPIC", "elsewhere"),
                header("CamelFileName", "x"),
                header("original-header-a", "4"),
                header("reprocessed", "maybe"),
                header("timestamp", "again"));

        List<Header> letter = letterOf("k".getBytes(), "v".getBytes(), original).recordHeaders();

        assertThat(letter.subList(0, original.size()))
                .extracting(Header::key)
                .containsExactly(
                        "a",
                        "original-header-timestamp",
                        "b",
                        "a",
                        "A",
                        "original-header-consumer-group",
                        "original-header-kafka.OVERRIDE_TOPIC",
                        "original-header-CamelFileName",
                        "original-header-original-header-a",
                        "reprocessed",
                        "original-header-timestamp");
        assertThat(letter.subList(original.size(), letter.size()))
                .extracting(Header::key)
                .containsExactly(
                        "original-topic",
                        "original-partition",
                        "original-offset",
                        "error-message",
                        "error-stack",
                        "timestamp",
                        "consumer-group",
                        "dead-letter-id");
        assertThat(restored(letter)).containsExactlyElementsOf(original);
    }

    @Test
    void recognisesHeadersOfHandWrittenDeadLetters() {
        assertThat(restored(List.of(header("original-header-x", "1"), header("kafka.KEY", "2"))))
                .extracting(Header::key)
                .containsExactly("original-header-x", "kafka.KEY");
    }

    @Test
    void takesTimeInProportionToTheHeaders() {
        List<Header> original = new ArrayList<>();
        for (int i = 0; i < 200_000; i++) {
            original.add(header(i % 2 == 0 ? "same" : "h" + i, "v"));
        }

        assertTimeout(Duration.ofSeconds(20), () -> {
            List<Header> letter = letterOf(null, null, original).recordHeaders();
            assertThat(restored(letter)).hasSize(200_000);
        });
    }

    @Test
    void identifiesAnOmittedValueByItsHash() {
        Exchange exchange = exchange("k".getBytes(), new byte[3], List.of(header("timestamp", "theirs")));

        deadLetters.createDeadLetter(exchange);
        deadLetters.omitValue(exchange);

        RecordMessage letter = (RecordMessage) exchange.getMessage();
        assertThat(letter.getBody()).isNull();
        assertThat(letter.getHeader(KafkaConstants.KEY, byte[].class)).isEqualTo("k".getBytes());
        assertThat(letter.getHeader(KafkaConstants.OVERRIDE_TOPIC)).isEqualTo("medication.events.dlq");
        assertThat(text(letter, "original-header-timestamp")).isEqualTo("theirs");
        assertThat(text(letter, "original-offset")).isEqualTo("7");
        assertThat(text(letter, "value-omitted")).isEqualTo("true");
        assertThat(text(letter, "value-bytes")).isEqualTo("3");
        assertThat(HexFormat.of().parseHex(text(letter, "value-sha256"))).hasSize(32);
        assertThat(text(letter, "headers-omitted")).isNull();
        assertThat(text(letter, "key-sha256")).isNull();
    }

    @Test
    void omitsNothingOfASmallRecord() {
        assertThat(deadLetters.isLarge(exchange(null, null, List.of()))).isFalse();
        assertThat(deadLetters.isLarge(exchange(new byte[10_000], new byte[30_000], List.of())))
                .isFalse();
        assertThat(deadLetters.isLarge(exchange(null, new byte[50_000], List.of())))
                .isTrue();
        assertThat(deadLetters.isLarge(exchange(new byte[50_000], null, List.of())))
                .isTrue();
        assertThat(deadLetters.isLarge(exchange(null, null, List.of(header("h", "v".repeat(50_000))))))
                .isTrue();
    }

    @Test
    void fitsEveryDeadLetterTopicWithoutLargeParts() {
        List<Header> headers = new ArrayList<>();
        for (int i = 0; i < 40_000; i++) {
            headers.add(header("header-" + i, "v"));
        }
        Exchange exchange = exchange(new byte[2_000_000], null, headers);

        deadLetters.createDeadLetter(exchange);
        deadLetters.omitValue(exchange);

        RecordMessage letter = (RecordMessage) exchange.getMessage();
        assertThat(text(letter, "headers-omitted")).isEqualTo("40000");
        assertThat(text(letter, "key-sha256")).hasSize(64);
        assertThat(text(letter, "value-sha256")).isEmpty();
        assertThat(letter.getHeader(KafkaConstants.KEY)).isNull();
        assertThat(letter.recordHeaders().stream()
                        .mapToInt(header -> header.key().length() + header.value().length)
                        .sum())
                .isLessThan(20_000);
    }

    private RecordMessage letterOf(byte[] key, byte[] value, List<Header> headers) {
        Exchange exchange = exchange(key, value, headers);
        deadLetters.createDeadLetter(exchange);
        return (RecordMessage) exchange.getMessage();
    }

    private Exchange exchange(byte[] key, byte[] value, List<Header> headers) {
        KafkaEndpoint reader = new KafkaEndpoint("kafka:reader", new KafkaComponent());
        reader.getConfiguration().setGroupId("group");
        Exchange exchange = new DefaultExchange(camel);
        exchange.getExchangeExtension().setFromEndpoint(reader);
        exchange.setProperty(Exchange.EXCEPTION_CAUGHT, new ProblemException(400, "wrong"));
        exchange.setProperty(
                DeadLetterChannel.RECORD,
                new ConsumerRecord<>(
                        "medication.events",
                        0,
                        7,
                        0,
                        TimestampType.CREATE_TIME,
                        0,
                        0,
                        key,
                        value,
                        new RecordHeaders(headers),
                        java.util.Optional.empty()));
        return exchange;
    }

    private static List<Header> restored(List<Header> letter) {
        List<Header> restored = new ArrayList<>();
        letter.forEach(header -> DeadLetterHeaders.original(header.key())
                .ifPresent(name -> restored.add(new RecordHeader(name, header.value()))));
        return restored;
    }

    private static String text(RecordMessage letter, String name) {
        Header header = new RecordHeaders(letter.recordHeaders()).lastHeader(name);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static Header header(String name, String value) {
        return new RecordHeader(name, value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    }
}
