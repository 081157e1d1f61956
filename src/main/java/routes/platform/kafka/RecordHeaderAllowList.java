package routes.platform.kafka;

import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.springframework.stereotype.Component;
import routes.platform.contract.AsyncApi;

/**
 * Lets only the record headers of the contract pass, in and out. Camel acts on headers: {@code kafka.OVERRIDE_TOPIC}
 * redirects a message, {@code CamelSqlQuery} replaces a statement. So no producer may set one. Refused headers stay in
 * the raw record, and in its dead letter.
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
