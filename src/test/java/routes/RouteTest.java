package routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.component.stub.StubComponent;
import org.apache.camel.spi.Policy;
import org.apache.camel.spi.Registry;
import org.apache.camel.spi.Resource;
import org.apache.camel.spi.TransactedPolicy;
import org.apache.camel.support.DefaultMessage;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.test.junit5.CamelContextConfiguration;
import org.apache.camel.test.junit5.CamelTestSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.core.io.ClassPathResource;
import routes.platform.Caller;
import routes.platform.avro.AvroCodec;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.OpenApi;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.FailureClassifier;
import routes.platform.error.UnknownFailurePolicy;
import routes.platform.event.EventReader;
import routes.platform.http.HttpRequest;
import routes.platform.http.ProblemResponses;
import routes.platform.http.ResponseWriter;
import routes.platform.http.TestLimits;

/**
 * Tests the routes that {@link RouteFile} names, without Spring and without servers, in milliseconds. URIs and
 * placeholders are those of production: {@code kafka:} is an in-memory stub, placeholders come from
 * {@code application.yaml}, the error policy and the HTTP boundary are the real ones.
 */
public abstract class RouteTest extends CamelTestSupport {

    /** Who sends what comes over HTTP. */
    protected static final Caller CALLER = new Caller(
            "sandbox", Caller.DEFAULT_TENANT, Caller.DEFAULT_TENANT, "default-organization", Set.of(), Set.of());

    /** Of a record that fails for an unknown reason, until it is a dead letter. */
    protected static final int ATTEMPTS = 5;

    private static final OpenApi OPERATIONS = operations();

    protected final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));

    protected final KnownSchemas registry = new KnownSchemas(contract);
    protected final AvroCodec avro = new AvroCodec(contract, registry);

    private final ResponseWriter writer = new ResponseWriter(new ObjectMapper());

    /** Binds the beans of the pattern that the routes call. */
    protected abstract void bind(Registry registry);

    @Override
    protected CamelContext createCamelContext() throws Exception {
        CamelContext context = super.createCamelContext();
        StubComponent kafka = new StubComponent();
        kafka.setAutowiredEnabled(false);
        kafka.setDefaultPollTimeout(10);
        context.addComponent("kafka", kafka);
        context.addComponent("outbox", new StubComponent());
        context.addComponent("platform-http", new StubComponent());
        context.getRegistry().bind("eventReader", new EventReader(contract, avro));
        context.getRegistry().bind("failureClassifier", new FailureClassifier());
        context.getRegistry().bind("deadLetterChannel", deadLetters());
        context.getRegistry()
                .bind(
                        "unknownFailurePolicy",
                        new UnknownFailurePolicy(
                                new FailureClassifier(),
                                new UnknownFailurePolicy.Settings(ATTEMPTS, 1),
                                new SimpleMeterRegistry(),
                                System::nanoTime));
        context.getRegistry()
                .bind("problemResponses", new ProblemResponses(new ObjectMapper(), new FailureClassifier(), List.of()));
        context.getRegistry().bind("brokerBulkhead", TestLimits.bulkhead());
        context.getRegistry().bind("fhirBulkhead", TestLimits.bulkhead());
        context.getRegistry().bind("transacted", new WithoutTransaction());
        context.getRegistry().bind("oncePerIdempotencyKey", new AnswersInMemory());
        bind(context.getRegistry());
        return context;
    }

    /** What the error policy asks about poison. */
    protected Object deadLetters() {
        return new DeadLetterDouble();
    }

    @Override
    public void configureContext(CamelContextConfiguration configuration) {
        super.configureContext(configuration);
        YamlPropertiesFactoryBean yaml = new YamlPropertiesFactoryBean();
        yaml.setResources(new ClassPathResource("application.yaml"));
        Properties properties = yaml.getObject();
        configuration
                .withUseOverridePropertiesWithPropertiesComponent(properties)
                .withRouteFilterIncludePattern(String.join(",", file().routes()))
                .withMockEndpointsAndSkip(String.join("|", file().sinks()));
    }

    private RouteFile file() {
        return getClass().getAnnotation(RouteFile.class);
    }

    @Override
    protected RoutesBuilder[] createRouteBuilders() throws Exception {
        List<RoutesBuilder> builders = new ArrayList<>();
        for (String name : List.of("camel/shared/errors.camel.yaml", "camel/" + file().value() + ".camel.yaml")) {
            Resource resource = PluginHelper.getResourceLoader(context).resolveResource("classpath:" + name);
            builders.addAll(PluginHelper.getRoutesLoader(context).findRoutesBuilders(resource));
        }
        return builders.toArray(RoutesBuilder[]::new);
    }

    /** The mock in place of a sink, by the URI that the file has. */
    protected MockEndpoint sink(String uri) {
        return getMockEndpoint("mock:" + uri);
    }

    /** The same, of which the test expects so many messages. */
    protected MockEndpoint sink(String uri, int messages) {
        MockEndpoint sink = sink(uri);
        sink.expectedMessageCount(messages);
        if (messages == 0) {
            sink.setResultWaitTime(1);
        }
        return sink;
    }

    /**
     * Hands a record to a route, as the consumer does.
     *
     * @param uri the URI that the route reads, as its file has it, without parameters
     */
    protected void receive(String uri, String topic, byte[] value) {
        template.send(uri, exchange -> {
            exchange.setProperty(DeadLetterChannel.RECORD, new ConsumerRecord<>(topic, 0, 0, null, value));
            exchange.getMessage().setHeader(KafkaConstants.TOPIC, topic);
            exchange.getMessage().setBody(value);
        });
    }

    /** Hands a batch of records to a route; the first stands for all where the batch fails. */
    protected void receiveBatch(String uri, String topic, byte[]... values) {
        template.send(uri, exchange -> {
            List<Message> batch = new ArrayList<>();
            for (byte[] value : values) {
                Message record = new DefaultMessage(exchange);
                record.setHeader(KafkaConstants.TOPIC, topic);
                record.setBody(value);
                batch.add(record);
            }
            exchange.setProperty(DeadLetterChannel.RECORD, new ConsumerRecord<>(topic, 0, 0, null, values[0]));
            exchange.getMessage().setHeader(KafkaConstants.TOPIC, topic);
            exchange.getMessage().setBody(batch);
        });
    }

    /** Calls an operation that has no body. */
    protected Answer call(String operation, HttpRequest request, Map<String, String> path) {
        return call(operation, request, path, "");
    }

    /**
     * Calls an operation of the contract, and completes its answer as the HTTP boundary does.
     *
     * @param request as {@link Requests} makes it
     * @param path the values of the path's parameters by name
     */
    protected Answer call(String operation, HttpRequest request, Map<String, String> path, String body) {
        Exchange done = template.request("direct:" + operation, exchange -> {
            request.bindTo(exchange);
            path.forEach(exchange.getMessage()::setHeader);
            exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, request.mediaType());
            exchange.getMessage().setBody(body.getBytes(StandardCharsets.UTF_8));
        });
        writer.complete(done, OPERATIONS.operation(operation));
        return new Answer(done.getMessage());
    }

    /** An answer over HTTP. */
    protected record Answer(Message message) {

        public int status() {
            return message.getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
        }

        public String header(String name) {
            return message.getHeader(name, String.class);
        }

        public String body() {
            return message.getBody(String.class);
        }

        public JsonNode json() {
            return RouteYaml.read(body());
        }
    }

    /** A file of {@code src/test/resources/events/}. */
    protected static byte[] event(String file) {
        try {
            return new ClassPathResource("events/" + file).getContentAsByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static OpenApi operations() {
        try {
            return new OpenApi(new ClassPathResource("contract/openapi.yaml"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    protected static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Runs the steps of {@code transacted}: there is no database here. */
    public static final class WithoutTransaction implements TransactedPolicy {

        @Override
        public void beforeWrap(Route route, NamedNode definition) {
            // nothing is begun
        }

        @Override
        public Processor wrap(Route route, Processor steps) {
            return steps;
        }
    }

    /** Runs the steps of {@code policy} once per key, without a database. */
    public static final class AnswersInMemory implements Policy {

        private final Map<String, Object> answers = new ConcurrentHashMap<>();

        @Override
        public void beforeWrap(Route route, NamedNode definition) {
            // nothing is claimed
        }

        @Override
        public Processor wrap(Route route, Processor steps) {
            return exchange -> {
                String key = HttpRequest.of(exchange).idempotencyKey().orElse("");
                if (answers.containsKey(key)) {
                    exchange.getMessage().setBody(answers.get(key));
                    return;
                }
                steps.process(exchange);
                boolean answered = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE) == null;
                if (answered && !exchange.isFailed() && !key.isEmpty()) {
                    answers.put(key, exchange.getMessage().getBody());
                }
            };
        }
    }

    /** Every group owns its topics; the headers of a dead letter are tested against a real broker. */
    public static final class DeadLetterDouble {

        public boolean isSkipped() {
            return false;
        }

        public void logSkipped() {
            // never: every group owns its topics
        }

        public boolean isLarge() {
            return true;
        }

        public void omitValue(Exchange exchange) {
            exchange.getMessage().setBody(null);
        }

        public boolean isBatch() {
            return false;
        }

        public void logWritten() {
            // nothing to log
        }

        public void createDeadLetter(Exchange exchange) {
            exchange.getMessage()
                    .setBody(exchange.getProperty(DeadLetterChannel.RECORD, ConsumerRecord.class)
                            .value());
        }
    }
}
