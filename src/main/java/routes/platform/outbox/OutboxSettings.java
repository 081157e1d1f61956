package routes.platform.outbox;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How far the relay may go.
 *
 * @param pollInterval how often it looks for new records when it has nothing to do
 * @param maxInFlight records that are read and not acknowledged
 * @param maxBytes the same in bytes of keys, values and headers
 */
@ConfigurationProperties("event-broker.outbox")
record OutboxSettings(
        @DefaultValue("50ms") Duration pollInterval,
        @DefaultValue("4000") int maxInFlight,
        @DefaultValue("16MB") DataSize maxBytes) {}
