package routes.fhir;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Compares the {@code X-Request-ID} of an answer with that of the request. A server or proxy that replaces it breaks
 * the attribution of versions, which have its own id then.
 */
@Component
class RequestIdEcho {

    private static final Logger LOG = LoggerFactory.getLogger(RequestIdEcho.class);

    private final Counter replaced;

    /** Tenants whose server has replaced the id of the last request. */
    private final Set<String> replacing = ConcurrentHashMap.newKeySet();

    RequestIdEcho(MeterRegistry meters) {
        this.replaced =
                Counter.builder("event-broker.fhir.request-ids-replaced").register(meters);
    }

    /** Returns the id in the answer, or null. */
    static String of(FhirAnswer answer) {
        return answer.headers().get("x-request-id");
    }

    /** Counts an id that is not the one of the request, and warns of the first one of a tenant. */
    void check(FhirRequest request, FhirAnswer answer) {
        String echoed = of(answer);
        String tenant = request.caller().tenant();
        if (echoed == null) {
            return;
        }
        if (echoed.equals(request.requestId())) {
            replacing.remove(tenant);
            return;
        }
        replaced.increment();
        if (replacing.add(tenant)) {
            LOG.warn(
                    "the FHIR server of tenant {} replaces X-Request-ID: its versions do not name their intents",
                    tenant);
        }
    }
}
