package routes.fhir;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import org.apache.camel.Exchange;

/** The searches that one run of the resolver has claimed. */
final class ResolverRun {

    private static final String PROPERTY = "fhirResolverRun";

    private final Deque<EffectSearch> searches = new ArrayDeque<>();
    private final long end;

    ResolverRun(Duration length) {
        this.end = System.nanoTime() + length.toNanos();
    }

    static ResolverRun of(Exchange exchange) {
        return exchange.getProperty(PROPERTY, ResolverRun.class);
    }

    void bindTo(Exchange exchange) {
        exchange.setProperty(PROPERTY, this);
    }

    void add(Collection<OpenIntent> claimed) {
        claimed.forEach(intent -> searches.add(new EffectSearch(intent)));
    }

    /** Returns the search that asks the next question, or null. */
    EffectSearch current() {
        return searches.peek();
    }

    EffectSearch removeCurrent() {
        return searches.remove();
    }

    /** Removes and returns the intents of a tenant. */
    List<OpenIntent> removeAll(String tenant) {
        List<OpenIntent> removed = new ArrayList<>();
        searches.removeIf(search -> {
            boolean isOfTenant = search.intent().tenant().equals(tenant);
            if (isOfTenant) {
                removed.add(search.intent());
            }
            return isOfTenant;
        });
        return removed;
    }

    /** Whether the run may claim more. */
    boolean hasTime() {
        return System.nanoTime() - end < 0;
    }
}
