package routes.platform.http;

import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/** Counts the requests that a limit refused, by the limit and not by the client. */
@Component
class Refusals {

    private final MeterRegistry meters;

    Refusals(MeterRegistry meters) {
        this.meters = meters;
    }

    ProblemException count(String limit, int status, String error) {
        meters.counter("event-broker.http.refused", "limit", limit).increment();
        return new ProblemException(status, error + ", try again");
    }
}
