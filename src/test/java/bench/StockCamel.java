package bench;

import java.io.IOException;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import routes.platform.error.ProblemException;

/** Runs the same route with Camel's own Kafka consumer, one record at a time, without lingering. */
final class StockCamel implements Side {

    private static final String CONSUMER =
            "&groupId=%s&autoOffsetReset=earliest&keyDeserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer"
                    + "&valueDeserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer";

    private static final String PRODUCER =
            "&lingerMs=0&keySerializer=org.apache.kafka.common.serialization.ByteArraySerializer"
                    + "&valueSerializer=org.apache.kafka.common.serialization.ByteArraySerializer";

    private final String brokers;
    private DefaultCamelContext camel;

    private StockCamel(String brokers) {
        this.brokers = brokers;
    }

    public static void main(String[] args) throws IOException {
        Side.serve(new StockCamel(args[0]));
    }

    @Override
    public void start(String source, String sink, String group) throws Exception {
        camel = new DefaultCamelContext();
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                onException(ProblemException.class)
                        .handled(true)
                        .useOriginalMessage()
                        .to("kafka:" + source + ".dlq?brokers=" + brokers + PRODUCER);
                from("kafka:" + source + "?brokers=" + brokers + CONSUMER.formatted(group))
                        .bean(new Transform(), "read")
                        .bean(new Transform(), "write")
                        .to("kafka:" + sink + "?brokers=" + brokers + PRODUCER);
            }
        });
        camel.start();
    }

    @Override
    public void stop() {
        camel.stop();
    }
}
