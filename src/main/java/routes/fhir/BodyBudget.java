package routes.fhir;

import java.util.concurrent.Semaphore;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirSettings;

/**
 * Limits the bytes of all request bodies that the facade holds at a time, so that large bundles cannot fill the heap.
 */
@Component
class BodyBudget {

    private static final int UNIT = 1 << 10;

    private final int total;
    private final Semaphore units;

    BodyBudget(FhirSettings settings) {
        this.total = units(settings.maxBytes().toBytes());
        this.units = new Semaphore(total);
    }

    private static int units(long bytes) {
        return Math.toIntExact((bytes + UNIT - 1) / UNIT);
    }

    /**
     * Reserves bytes until the request is answered.
     *
     * @throws ProblemException 503 when too many bytes are held
     */
    Reservation reserve(long bytes, Exchange exchange) {
        int wanted = Math.min(units(bytes), total);
        if (!units.tryAcquire(wanted)) {
            throw ProblemException.temporary(503, "too many large requests are in flight, try again");
        }
        Reservation reservation = new Reservation(wanted);
        exchange.getExchangeExtension().addOnCompletion(reservation);
        return reservation;
    }

    /** The bytes of one request. */
    final class Reservation extends SynchronizationAdapter {

        private int held;

        private Reservation(int held) {
            this.held = held;
        }

        /** Gives back what a body of this length does not need. */
        void shrinkTo(long bytes) {
            int surplus = Math.max(0, held - units(bytes));
            held -= surplus;
            units.release(surplus);
        }

        @Override
        public void onDone(Exchange done) {
            units.release(held);
        }
    }
}
