package routes.platform.state;

import java.time.Duration;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
class StateRetentionRules {

    @Bean
    RetentionRule handledEventRetention(@Value("${event-broker.retention.handled-events}") Duration keep) {
        return new RetentionRule("handled_event", "handled_at", keep);
    }

    @Bean
    RetentionRule idempotencyKeyRetention(@Value("${event-broker.retention.idempotency-keys}") Duration keep) {
        return new RetentionRule("idempotency_key", "created_at", keep);
    }
}
