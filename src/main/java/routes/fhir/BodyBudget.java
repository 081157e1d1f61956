package routes.fhir;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirSettings;
import routes.platform.http.HttpLimits;

/**
 * Limits the bytes of all request bodies that the facade holds at a time, so that large bundles cannot fill the heap. A
 * tenant may take its share of them.
 */
@Component
class BodyBudget {

    private static final int UNIT = 1 << 10;

    private final int unitsOfATenant;
    private final Semaphore units;

    /** Has an entry for each tenant that has sent a body. */
    private final Map<String, Semaphore> tenants = new ConcurrentHashMap<>();

    BodyBudget(FhirSettings settings, HttpLimits limits) {
        int total = units(settings.maxBytes().toBytes());
        // the largest body always fits
        this.unitsOfATenant =
                Math.max(limits.shareOfATenant(total), units(settings.maxBody().toBytes()));
        this.units = new Semaphore(total);
    }

    private static int units(long bytes) {
        return Math.toIntExact((bytes + UNIT - 1) / UNIT);
    }

    /**
     * Reserves bytes until the request is answered.
     *
     * @param bytes at most those of the largest body
     * @throws ProblemException 503 when too many bytes are held
     */
    Reservation reserve(long bytes, String tenant, Exchange exchange) {
        int wanted = units(bytes);
        Semaphore ofTenant = tenants.computeIfAbsent(tenant, name -> new Semaphore(unitsOfATenant));
        if (!ofTenant.tryAcquire(wanted)) {
            throw ProblemException.temporary(503, "this tenant has too many large requests in flight, try again");
        }
        if (!units.tryAcquire(wanted)) {
            ofTenant.release(wanted);
            throw ProblemException.temporary(503, "too many large requests are in flight, try again");
        }
        Reservation reservation = new Reservation(ofTenant, wanted);
        exchange.getExchangeExtension().addOnCompletion(reservation);
        return reservation;
    }

    /** The bytes of one request. */
    final class Reservation extends SynchronizationAdapter {

        private final Semaphore ofTenant;
        private int held;

        private Reservation(Semaphore ofTenant, int held) {
            this.ofTenant = ofTenant;
            this.held = held;
        }

        /** Gives back what a body of this length does not need. */
        void shrinkTo(long bytes) {
            release(Math.max(0, held - units(bytes)));
        }

        @Override
        public void onDone(Exchange done) {
            release(held);
        }

        private void release(int surplus) {
            held -= surplus;
            units.release(surplus);
            ofTenant.release(surplus);
        }
    }
}
