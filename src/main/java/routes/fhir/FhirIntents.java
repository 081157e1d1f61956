package routes.fhir;

import java.time.Duration;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.stereotype.Component;
import routes.platform.error.FailureClassifier;
import routes.platform.fhir.FhirSettings;

/**
 * Attributes writes: it stores who asks for one before the server learns of it, and notes the versions that the answer
 * shows.
 *
 * <p>The server keeps the id of the request with each version, as the end of {@code meta.source}. So a version names
 * its intent, whatever dies afterwards. A delete does not show it, and a write without a change makes no version:
 * {@link AnswerRules} tell them apart by the answer. The search for effects does the rest.
 */
@Component("fhirIntents")
class FhirIntents {

    private static final Logger LOG = LoggerFactory.getLogger(FhirIntents.class);

    /** For the wait for a pooled connection, and for a pause of this process. */
    private static final Duration MARGIN = Duration.ofSeconds(30);

    private final FhirIntentTable table;
    private final RequestIdEcho echo;
    private final FailureClassifier failures;
    private final Duration longestCall;

    FhirIntents(FhirIntentTable table, RequestIdEcho echo, FailureClassifier failures, FhirSettings settings) {
        this.table = table;
        this.echo = echo;
        this.failures = failures;
        this.longestCall = ServerAnswer.longest(settings.responseTimeout(), FhirServer.WRITE_WHOLE)
                .plus(settings.connectTimeout())
                .plus(MARGIN);
    }

    /**
     * Stores the intent of the request. When that fails, the route fails, and the server learns nothing. The intent
     * ends with the exchange if the request was never sent, as while the server is down.
     *
     * @throws DataAccessException when the database does not store it
     */
    public void store(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        table.insert(request, DeletesByQuery.targets(exchange), longestCall);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                Throwable failure = done.getProperty(Exchange.EXCEPTION_CAUGHT, done.getException(), Throwable.class);
                if (failures.find(failure, NotDoneException.class) != null) {
                    noteNotDone(request);
                }
            }
        });
    }

    private void noteNotDone(FhirRequest request) {
        try {
            table.closeUnsent(request.requestId());
        } catch (DataAccessException e) {
            logStaysOpen(request, e);
        }
    }

    /**
     * Notes the outcome that the server's answer shows. Without an answer, or when the database fails now, the intent
     * stays open, and the search for effects finds the outcome later.
     */
    public void noteOutcome(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        FhirAnswer answer = FhirAnswer.of(exchange);
        if (answer == null) {
            return;
        }
        echo.check(request, answer);
        AnswerRules.Effects effects = AnswerRules.effects(request, answer);
        try {
            table.noteAnswer(request, answer.status(), effects.complete(), effects.outcomes());
        } catch (DataAccessException e) {
            logStaysOpen(request, e);
        }
    }

    private void logStaysOpen(FhirRequest request, DataAccessException failure) {
        LOG.warn(
                "intent {} of tenant {} stays open, its outcome is not noted: {}",
                request.requestId(),
                request.caller().tenant(),
                failures.describe(failure));
    }
}
