package routes.platform.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaHeaderFilterStrategy;
import org.apache.camel.component.kafka.consumer.DefaultKafkaManualCommitFactory;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;
import org.apache.camel.component.kafka.serde.KafkaHeaderDeserializer;
import org.apache.camel.component.kafka.serde.ToStringKafkaHeaderDeserializer;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What {@code camel.component.kafka.*} refers to, and an admin client with the same brokers and credentials. */
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

    /** Record headers are text. */
    @Bean
    KafkaHeaderDeserializer recordHeaderText() {
        return new ToStringKafkaHeaderDeserializer();
    }

    /** Dead letters keep the headers of their record, known or not; only what Camel itself acts on stays out. */
    @Bean
    HeaderFilterStrategy deadLetterHeaders() {
        return new KafkaHeaderFilterStrategy();
    }

    @Bean
    KafkaManualCommitFactory synchronousCommit() {
        return new DefaultKafkaManualCommitFactory();
    }
}
