package routes.platform.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The admin client, which has the same brokers and credentials as {@code camel.component.kafka.*}. */
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
}
