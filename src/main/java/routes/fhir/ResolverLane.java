package routes.fhir;

import java.time.Duration;
import org.apache.camel.Exchange;

/** A tenant's open intents, one after another: the work of one exchange. */
final class ResolverLane {

    private static final String PROPERTY = "fhirResolverLane";

    /** A lane claims nothing more after this time, so that a shutdown does not wait for the end of a long queue. */
    private static final Duration MAX_CLAIMING = Duration.ofSeconds(5);

    /** An intent asks nothing more in this run after this time, so that its lease holds and others get their turn. */
    static final Duration MAX_ASKING = Duration.ofSeconds(10);

    private final String tenant;
    private final long lastClaim = System.nanoTime() + MAX_CLAIMING.toNanos();
    private EffectSearch search;
    private long lastPage;
    private boolean closed;

    ResolverLane(String tenant) {
        this.tenant = tenant;
    }

    static ResolverLane of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, ResolverLane.class);
    }

    void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
    }

    String tenant() {
        return tenant;
    }

    void begin(OpenIntent intent) {
        search = new EffectSearch(intent);
        lastPage = System.nanoTime() + MAX_ASKING.toNanos();
    }

    /** Returns the search that asks the next question, or null. */
    EffectSearch search() {
        return search;
    }

    void end() {
        search = null;
    }

    /** Ends the lane, because its server does not serve. */
    void close() {
        search = null;
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    boolean mayClaim() {
        return !closed && System.nanoTime() - lastClaim < 0;
    }

    boolean mayAsk() {
        return System.nanoTime() - lastPage < 0;
    }
}
