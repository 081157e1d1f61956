package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;
import routes.platform.error.BrakeAppliedException;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.DeadLetterHeaders;
import routes.platform.error.FailureClassifier;
import routes.platform.error.MalformedJsonException;
import routes.platform.error.ProblemException;
import routes.platform.error.RecordMessage;
import routes.platform.error.UnknownFailurePolicy;
import routes.platform.error.UnreadableRecordException;

/** The error policy of every route that reads a topic, with all steps of the route replaced by one. */
@RouteFile(
        value = "pubsub",
        sinks = {"kafka:dlq.*", "micrometer:.*"})
class ErrorPolicyRouteTest extends RouteTest {

    private static final int BRAKE = 3;

    private final List<Work> works = new ArrayList<>();
    private MockEndpoint letters;
    private MockEndpoint withoutValue;
    private MockEndpoint skipped;

    static Stream<Arguments> readers() {
        AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
        return RouteYaml.routes().stream()
                .filter(ErrorPolicyRouteTest::readsTopic)
                .flatMap(route -> {
                    String group = route.at("/from/parameters/groupId").asText();
                    return contract.channels().stream()
                            .filter(channel -> channel.groups().contains(group))
                            .map(channel -> Arguments.of(route.path("id").asText(), channel.topic(), group));
                });
    }

    private static boolean readsTopic(JsonNode route) {
        return route.at("/from/uri").asText().startsWith("kafka:");
    }

    @Override
    protected Object deadLetters() {
        return new DeadLetterChannel(contract, new FailureClassifier());
    }

    @Override
    protected CamelContext createCamelContext() throws Exception {
        CamelContext context = super.createCamelContext();
        context.getRegistry()
                .bind(
                        "unknownFailurePolicy",
                        new UnknownFailurePolicy(
                                new FailureClassifier(),
                                new UnknownFailurePolicy.Settings(ATTEMPTS, BRAKE),
                                new SimpleMeterRegistry(),
                                System::nanoTime));
        return context;
    }

    @Override
    protected void bind(Registry registry) {
        RouteYaml.routes().stream().filter(ErrorPolicyRouteTest::readsTopic).forEach(route -> {
            Work work = new Work(route.at("/from/parameters/groupId").asText());
            works.add(work);
            registry.bind("work-of-" + work.group, work);
        });
    }

    @Override
    protected RoutesBuilder[] createRouteBuilders() throws Exception {
        List<RoutesBuilder> builders = new ArrayList<>();
        builders.add(super.createRouteBuilders()[0]);
        for (JsonNode route : RouteYaml.routes().stream()
                .filter(ErrorPolicyRouteTest::readsTopic)
                .toList()) {
            String group = route.at("/from/parameters/groupId").asText();
            ((ObjectNode) route)
                    .set(
                            "from",
                            RouteYaml.read("{uri: 'direct:%s', steps: [{bean: {ref: work-of-%s, method: handle}}]}"
                                    .formatted(group, group)));
            ((ObjectNode) route).remove("autoStartup");
            Resource resource = ResourceHelper.fromString(group + ".camel.yaml", "[{\"route\": " + route + "}]");
            builders.addAll(PluginHelper.getRoutesLoader(context).findRoutesBuilders(resource));
        }
        return builders.toArray(RoutesBuilder[]::new);
    }

    @BeforeEach
    void sinksOfTheTest() {
        letters = sink("kafka:dlq");
        withoutValue = sink("kafka:dlq-without-value");
        skipped = sink("micrometer:counter:event-broker.records.skipped");
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void waitsForADependency(String route, String topic, String group) {
        for (Exception down : List.of(new TimeoutException("Kafka"), new ProblemException(503, "later"))) {
            assertThat(receive(topic, group, 1000, down).getException()).isSameAs(down);
        }

        assertThat(letters.getExchanges()).isEmpty();
        assertThat(skipped.getExchanges()).isEmpty();
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void deadLettersAnUnreadableRecordOnlyAsTheOwner(String route, String topic, String group) {
        Exchange done = receive(topic, group, 0, new UnreadableRecordException(new MalformedJsonException("empty")));

        assertThat(done.getException()).isNull();
        boolean owner =
                contract.channel(topic).map(Channel::owningGroup).orElseThrow().equals(group);
        assertThat(letters.getExchanges()).hasSize(owner ? 1 : 0);
        assertThat(skipped.getExchanges()).hasSize(owner ? 0 : 1);
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void deadLettersARecordThatItsWorkRefuses(String route, String topic, String group) {
        Exchange done = receive(topic, group, 0, new ProblemException(409, "never"));

        assertThat(done.getException()).isNull();
        assertThat(skipped.getExchanges()).isEmpty();
        assertThat(letters.getExchanges()).hasSize(1);
        assertThat(header(letters, DeadLetterHeaders.CONSUMER_GROUP)).isEqualTo(group);
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void retriesAnUnknownFailureAndThenDeadLettersIt(String route, String topic, String group) {
        Exception bug = new UnknownServerException("unexpected");
        for (int failures = 0; failures < ATTEMPTS - 1; failures++) {
            assertThat(receive(topic, group, failures, bug).getException()).isSameAs(bug);
        }
        assertThat(letters.getExchanges()).isEmpty();

        assertThat(receive(topic, group, ATTEMPTS - 1, bug).getException()).isNull();

        assertThat(header(letters, DeadLetterHeaders.CONSUMER_GROUP)).isEqualTo(group);
        assertThat(skipped.getExchanges()).isEmpty();
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void brakesUnknownFailuresButNotPoison(String route, String topic, String group) {
        for (int offset = 0; offset < BRAKE; offset++) {
            // the retry of a dead letter has the same id
            receive(topic, group, ATTEMPTS - 1, offset, new NullPointerException());
            receive(topic, group, ATTEMPTS - 1, offset, new NullPointerException());
        }

        Exchange braked = receive(topic, group, ATTEMPTS - 1, BRAKE, new NullPointerException());

        assertThat(braked.getException())
                .isInstanceOf(BrakeAppliedException.class)
                .hasMessage(route + " wrote 3 dead letters within a minute and writes no more: NullPointerException");
        assertThat(letters.getExchanges()).hasSize(2 * BRAKE);
        assertThat(receive(topic, group, 0, 9, new ProblemException(400, "wrong"))
                        .getException())
                .isNull();
        assertThat(letters.getExchanges()).hasSize(2 * BRAKE + 1);
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void narrowsABatchAfterAnyFailure(String route, String topic, String group) {
        for (Exception failure : List.of(new ProblemException(400, "wrong"), new NullPointerException())) {
            Exchange batch =
                    template.send("direct:" + group, exchange -> works(group).forEach(work -> work.failure = failure));

            assertThat(batch.getException()).isSameAs(failure);
        }
        assertThat(letters.getExchanges()).isEmpty();
        assertThat(skipped.getExchanges()).isEmpty();
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void omitsAValueThatTheDeadLetterTopicRefuses(String route, String topic, String group) {
        letters.whenAnyExchangeReceived(exchange -> {
            throw new RecordTooLargeException("20 MiB");
        });

        Exchange done = receive(topic, group, 0, 0, new byte[20 << 20], new ProblemException(400, "wrong"));

        assertThat(done.getException()).isNull();
        assertThat(withoutValue.getExchanges()).hasSize(1);
        assertThat(header(withoutValue, DeadLetterHeaders.VALUE_OMITTED)).isEqualTo("true");
        assertThat(withoutValue.getExchanges().get(0).getMessage().getHeader(KafkaConstants.OVERRIDE_TOPIC))
                .isEqualTo(topic + ".dlq");
    }

    @ParameterizedTest(name = "{0} of {1}")
    @MethodSource("readers")
    void holdsASmallRecordThatTheDeadLetterTopicRefuses(String route, String topic, String group) {
        letters.whenAnyExchangeReceived(exchange -> {
            throw new RecordTooLargeException("10 bytes");
        });

        Exchange held = receive(topic, group, 0, new ProblemException(400, "wrong"));

        assertThat(held.getException()).hasMessageContaining("accepts no dead letters: RecordTooLargeException");
        assertThat(withoutValue.getExchanges()).isEmpty();
    }

    private Exchange receive(String topic, String group, int unknownFailures, Exception failure) {
        return receive(topic, group, unknownFailures, 0, failure);
    }

    private Exchange receive(String topic, String group, int unknownFailures, long offset, Exception failure) {
        return receive(topic, group, unknownFailures, offset, "{}".getBytes(), failure);
    }

    private Exchange receive(
            String topic, String group, int unknownFailures, long offset, byte[] value, Exception failure) {
        works(group).forEach(work -> work.failure = failure);
        return template.send("direct:" + group, exchange -> {
            exchange.setProperty(DeadLetterChannel.UNKNOWN_FAILURES, unknownFailures);
            exchange.setProperty(
                    DeadLetterChannel.RECORD, new ConsumerRecord<>(topic, 0, offset, new byte[] {1}, value));
        });
    }

    private Stream<Work> works(String group) {
        return works.stream().filter(work -> work.group.equals(group));
    }

    private static String header(MockEndpoint sink, String name) {
        RecordMessage deadLetter = (RecordMessage) sink.getExchanges().get(0).getMessage();
        return deadLetter.recordHeaders().stream()
                .filter(header -> header.key().equals(name))
                .map(header -> text(header.value()))
                .findFirst()
                .orElse(null);
    }

    /** Fails with the failure that the test sets. */
    public static final class Work {

        private final String group;
        private Exception failure;

        Work(String group) {
            this.group = group;
        }

        public void handle(Exchange exchange) throws Exception {
            KafkaEndpoint reader = new KafkaEndpoint("kafka:reader", new KafkaComponent());
            reader.getConfiguration().setGroupId(group);
            exchange.getExchangeExtension().setFromEndpoint(reader);
            throw failure;
        }
    }
}
