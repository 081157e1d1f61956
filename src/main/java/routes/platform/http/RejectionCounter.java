package routes.platform.http;

import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/** Counts rejected requests by the limit that they reached, never by the client. */
@Component
class RejectionCounter {

    private final MeterRegistry meters;

    RejectionCounter(MeterRegistry meters) {
        this.meters = meters;
    }

    /** Counts a rejection and returns it as the exception to throw. */
    ProblemException reject(String limit, int status, String error) {
        meters.counter("event-broker.http.refused", "limit", limit).increment();
        return new ProblemException(status, error + ", try again");
    }
}
