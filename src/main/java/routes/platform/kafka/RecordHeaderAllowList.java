package routes.platform.kafka;

import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.springframework.stereotype.Component;
import routes.platform.contract.AsyncApi;

/**
 * Lets the record headers of the contract pass, in and out, and nothing else. Camel acts on headers ({@code kafka.OVERRIDE_TOPIC}
 * redirects a message, {@code Long-Running-Action} joins another saga, {@code CamelSqlQuery} replaces a statement), so a producer
 * must not be able to set one. The headers that are kept out stay in the raw record and rest in its dead letter.
 */
@Component
class RecordHeaderAllowList implements HeaderFilterStrategy {

    private final Set<String> allowed;

    RecordHeaderAllowList(AsyncApi contract) {
        allowed = contract.recordHeaders();
    }

    @Override
    public boolean applyFilterToCamelHeaders(String name, Object value, Exchange exchange) {
        return !allowed.contains(name);
    }

    @Override
    public boolean applyFilterToExternalHeaders(String name, Object value, Exchange exchange) {
        return !allowed.contains(name);
    }
}
