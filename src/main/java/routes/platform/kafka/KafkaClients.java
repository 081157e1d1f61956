package routes.platform.kafka;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.serde.DefaultKafkaHeaderSerializer;
import org.apache.camel.component.kafka.serde.KafkaHeaderDeserializer;
import org.apache.camel.component.kafka.serde.KafkaHeaderSerializer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Provides the header codecs of {@code camel.component.kafka.*}, and an admin client with its brokers and credentials.
 */
@Configuration(proxyBeanMethods = false)
class KafkaClients {

    @Bean(destroyMethod = "close")
    Admin kafkaAdmin(CamelContext camel) {
        Map<String, Object> config = new HashMap<>();
        camel.getComponent("kafka", KafkaComponent.class)
                .getConfiguration()
                .createConsumerProperties()
                .forEach((name, value) -> {
                    if (AdminClientConfig.configNames().contains(name.toString())) {
                        config.put(name.toString(), value);
                    }
                });
        config.put(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                camel.getComponent("kafka", KafkaComponent.class)
                        .getConfiguration()
                        .getBrokers());
        return Admin.create(config);
    }

    /** Reads record headers as text. A header without a value, which a producer may send, stays null. */
    @Bean
    KafkaHeaderDeserializer recordHeaderText() {
        return (name, value) -> value == null ? null : new String(value, StandardCharsets.UTF_8);
    }

    /** Writes text in UTF-8, where Camel uses the encoding of the machine. */
    @Bean
    KafkaHeaderSerializer recordHeaderBytes() {
        return new DefaultKafkaHeaderSerializer() {
            @Override
            public byte[] serialize(String name, Object value) {
                return value instanceof String text
                        ? text.getBytes(StandardCharsets.UTF_8)
                        : super.serialize(name, value);
            }
        };
    }
}
