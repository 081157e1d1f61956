package routes.platform.outbox;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Configures the outbox relay.
 *
 * @param pollInterval the pause between two reads when the outbox is empty
 * @param maxInFlight most rows that the broker has not acknowledged
 * @param maxBytes most bytes of those rows: keys, values and headers
 */
@ConfigurationProperties("event-broker.outbox")
record OutboxSettings(
        @DefaultValue("50ms") Duration pollInterval,
        @DefaultValue("4000") int maxInFlight,
        @DefaultValue("16MB") DataSize maxBytes) {}
