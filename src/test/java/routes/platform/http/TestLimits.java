package routes.platform.http;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;

/** Limits for tests without a server. */
public final class TestLimits {

    private TestLimits() {}

    /** One request at a time. */
    public static BrokerBulkhead bulkhead() {
        HttpLimits limits = new HttpLimits(Duration.ofSeconds(1), 1, 1, 1, 1, 1, 1);
        Refusals refusals = new Refusals(new SimpleMeterRegistry());
        return new BrokerBulkhead(limits, new Waits(limits, new Turns(), refusals, 2), refusals);
    }
}
