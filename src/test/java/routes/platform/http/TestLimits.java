package routes.platform.http;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.springframework.util.unit.DataSize;

/** Limits for tests without a server. */
public final class TestLimits {

    private TestLimits() {}

    public static HttpLimits limits() {
        return new HttpLimits(DataSize.ofMegabytes(1), Duration.ofSeconds(1), 1, 1, 1, 1, 1, 1);
    }

    /** One request at a time. */
    public static BrokerBulkhead bulkhead() {
        HttpLimits limits = limits();
        RejectionCounter rejections = new RejectionCounter(new SimpleMeterRegistry());
        return new BrokerBulkhead(
                limits, new WaitingRequestLimiter(limits, new ClientBulkhead(), rejections, 2), rejections);
    }
}
