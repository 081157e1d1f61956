package routes;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.stub.StubComponent;
import org.apache.camel.spi.Registry;
import org.apache.camel.spi.Resource;
import org.apache.camel.spi.TransactedPolicy;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.test.junit5.CamelContextConfiguration;
import org.apache.camel.test.junit5.CamelTestSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.beans.factory.config.YamlPropertiesFactoryBean;
import org.springframework.core.io.ClassPathResource;
import routes.platform.Caller;
import routes.platform.avro.AvroCodec;
import routes.platform.contract.AsyncApi;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.FailureClassifier;
import routes.platform.error.UnknownFailurePolicy;
import routes.platform.event.EventReader;

/**
 * Tests the routes of one YAML file, without Spring and without servers, in milliseconds. URIs and placeholders are those of
 * production: {@code kafka:} is an in-memory stub, placeholders come from {@code application.yaml}, the error policy is the real one.
 * A test binds the beans that its routes call.
 */
public abstract class RouteTest extends CamelTestSupport {

    /** Who sends what comes over HTTP. */
    protected static final Caller CALLER = new Caller(
            "sandbox", Caller.DEFAULT_TENANT, Caller.DEFAULT_TENANT, "default-organization", Set.of(), Set.of());

    /** Of a record that fails for an unknown reason, until it is a dead letter. */
    protected static final int ATTEMPTS = 5;

    protected final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));

    protected final KnownSchemas registry = new KnownSchemas(contract);
    protected final AvroCodec avro = new AvroCodec(contract, registry);

    /** Which file is tested, such as {@code pubsub}. */
    protected abstract String word();

    /** Which of its routes run: ids, {@code *} at the end for any. */
    protected String routes() {
        return "*";
    }

    /** Binds the beans that the routes refer to. */
    protected abstract void bind(Registry registry);

    @Override
    protected CamelContext createCamelContext() throws Exception {
        CamelContext context = super.createCamelContext();
        StubComponent kafka = new StubComponent();
        kafka.setAutowiredEnabled(false);
        kafka.setDefaultPollTimeout(10);
        context.addComponent("kafka", kafka);
        context.addComponent("outbox", new StubComponent());
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
        context.getRegistry().bind("transacted", new WithoutTransaction());
        bind(context.getRegistry());
        return context;
    }

    /** What the error policy asks about poison. */
    protected Object deadLetters() {
        return new DeadLetterDouble();
    }

    /** Where the routes send to: a regular expression of URIs whose mocks take the messages instead. */
    protected abstract String sinks();

    @Override
    public void configureContext(CamelContextConfiguration configuration) {
        super.configureContext(configuration);
        YamlPropertiesFactoryBean yaml = new YamlPropertiesFactoryBean();
        yaml.setResources(new ClassPathResource("application.yaml"));
        Properties properties = yaml.getObject();
        configuration
                .withUseOverridePropertiesWithPropertiesComponent(properties)
                .withRouteFilterIncludePattern(routes())
                .withMockEndpointsAndSkip(sinks());
    }

    @Override
    protected RoutesBuilder[] createRouteBuilders() throws Exception {
        List<RoutesBuilder> builders = new ArrayList<>();
        for (String file : List.of("camel/shared/errors.camel.yaml", "camel/" + word() + ".camel.yaml")) {
            Resource resource = PluginHelper.getResourceLoader(context).resolveResource("classpath:" + file);
            builders.addAll(PluginHelper.getRoutesLoader(context).findRoutesBuilders(resource));
        }
        return builders.toArray(RoutesBuilder[]::new);
    }

    /**
     * Hands a record to a route, as the consumer does.
     *
     * @param uri the URI that the route reads, as its file says it, without parameters
     */
    protected void receive(String uri, String topic, byte[] value) {
        template.send(uri, exchange -> {
            exchange.setProperty(DeadLetterChannel.RECORD, new ConsumerRecord<>(topic, 0, 0, null, value));
            exchange.getMessage().setHeader(KafkaConstants.TOPIC, topic);
            exchange.getMessage().setBody(value);
        });
    }

    /** A file of {@code src/test/resources/events/}. */
    protected static byte[] event(String file) {
        try {
            return new ClassPathResource("events/" + file).getContentAsByteArray();
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
