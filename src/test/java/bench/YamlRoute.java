package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.util.List;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.ClassPathResource;
import routes.EventBroker;
import routes.platform.contract.AsyncApi;

/**
 * Runs the whole runtime as shipped, with a route of the bench; its own routes are off. Its outbox relay is stopped: a
 * database has one relay at a time, and the relay is a side of its own.
 */
final class YamlRoute implements Side {

    private final CamelContext camel;
    private final String file;

    private YamlRoute(CamelContext camel, String file) {
        this.camel = camel;
        this.file = file;
    }

    /** @param args the route's file, then options of the runtime */
    public static void main(String[] args) throws IOException {
        String[] options = new String[args.length - 1];
        System.arraycopy(args, 1, options, 0, options.length);
        ApplicationContext runtime = new SpringApplication(EventBroker.class, Contract.class).run(options);
        runtime.getBean("outboxRelay", SmartLifecycle.class).stop();
        Side.serve(new YamlRoute(runtime.getBean(CamelContext.class), args[0]));
    }

    @Override
    public void start(String source, String sink, String group) throws Exception {
        Properties properties = new Properties();
        properties.put("bench.source", source);
        properties.put("bench.sink", sink);
        properties.put("bench.group", group);
        camel.getPropertiesComponent().setOverrideProperties(properties);
        PluginHelper.getRoutesLoader(camel)
                .loadRoutes(ResourceHelper.resolveMandatoryResource(camel, "classpath:" + file));
    }

    @Override
    public void stop() throws Exception {
        camel.getRouteController().stopRoute("bench");
        camel.removeRoute("bench");
    }

    /** Adds the topics of the bench to the contract, so that dead letters have an owner. */
    @Configuration(proxyBeanMethods = false)
    static class Contract {

        @Bean
        @Primary
        AsyncApi benchContract() throws IOException {
            ObjectMapper yaml = new ObjectMapper(new YAMLFactory());
            JsonNode contract = yaml.readTree(new ClassPathResource("contract/asyncapi.yaml").getInputStream());
            JsonNode bench = yaml.readTree(new ClassPathResource("bench/asyncapi.yaml").getInputStream());
            for (String part : List.of("/channels", "/components/messages")) {
                ((ObjectNode) contract.at(part)).setAll((ObjectNode) bench.at(part));
            }
            return new AsyncApi(new ByteArrayResource(yaml.writeValueAsBytes(contract)));
        }

        @Bean
        ProjectionTable projectionTable(DataSource database) {
            return new ProjectionTable(database);
        }

        @Bean
        Transform transform() {
            return new Transform();
        }
    }
}
