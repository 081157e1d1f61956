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
    public static Bulkhead bulkhead() {
        return new Bulkhead(
                "publishing",
                limits().maxPublishing(),
                limits().maxPublishing(),
                "too many requests wait for the broker",
                "too many requests of this tenant wait for the broker",
                waiting(),
                new RejectionCounter(new SimpleMeterRegistry()));
    }

    /** One request at a time. */
    public static WaitingRequestLimiter waiting() {
        return new WaitingRequestLimiter(
                limits(), new ClientBulkhead(), new RejectionCounter(new SimpleMeterRegistry()), 2);
    }
}
