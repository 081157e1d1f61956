package routes.platform.state;

import java.time.Duration;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.ResponseWriter;
import routes.platform.http.StreamedBody;
import routes.platform.http.WaitingRequestLimiter;
import routes.platform.state.IdempotencyKeys.Kept;

/**
 * Runs the steps in {@code policy} once per {@code Idempotency-Key}, and answers a repeat with the first answer. The
 * steps leave the answer as the body. A request without a key runs them each time. Why:
 * docs/adr/0017-idempotency-keys.md.
 */
@Component("oncePerIdempotencyKey")
class OncePerIdempotencyKey extends BlockPolicy {

    /** Exchange property: the request holds its key, and has no answer. */
    private static final String HOLDS_KEY = "holdsIdempotencyKey";

    /** Limits the wait of another request with the key for the first answer. */
    private static final Duration WAIT = Duration.ofSeconds(2);

    private static final Duration PAUSE = Duration.ofMillis(20);

    private final IdempotencyKeys keys;
    private final WaitingRequestLimiter waiting;
    private final ResponseWriter writer;

    OncePerIdempotencyKey(IdempotencyKeys keys, WaitingRequestLimiter waiting, ResponseWriter writer) {
        this.keys = keys;
        this.waiting = waiting;
        this.writer = writer;
    }

    @Override
    void process(Exchange exchange, Processor steps) throws Exception {
        HttpRequest request = HttpRequest.of(exchange);
        if (request.idempotencyKey().isEmpty()) {
            steps.process(exchange);
            return;
        }
        StreamedBody stream = exchange.getMessage().getBody() instanceof StreamedBody streamed ? streamed : null;
        byte[] known = exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class);
        Optional<Kept> first = claim(request, known);
        if (first.isPresent()) {
            if (stream != null && first.get().isOfAnotherRequest(stream.fingerprint())) {
                throw otherRequest();
            }
            exchange.getMessage().setBody(first.get().answer());
            return;
        }
        releaseUnlessAnswered(request, exchange);
        steps.process(exchange);
        if (!exchange.isFailed()) {
            keep(request, stream == null ? known : stream.fingerprint(), exchange);
        }
    }

    /**
     * Claims the key, or waits a moment for the answer of the request that holds it.
     *
     * @return the first answer; nothing when this request holds the key now
     * @throws ProblemException 409 when the key was used for another request, or another request holds it for longer
     */
    private Optional<Kept> claim(HttpRequest request, byte[] fingerprint) {
        if (keys.lease(request, fingerprint)) {
            return Optional.empty();
        }
        Optional<Kept> first = answered(request, fingerprint);
        return first.isPresent() ? first : awaitAnswer(request, fingerprint);
    }

    private Optional<Kept> awaitAnswer(HttpRequest request, byte[] fingerprint) {
        // a stream holds a permit already
        try (WaitingRequestLimiter.Permit permit = fingerprint == null ? () -> {} : waiting.acquire(request.caller())) {
            for (long end = System.nanoTime() + WAIT.toNanos(); System.nanoTime() < end; pause()) {
                if (keys.lease(request, fingerprint)) {
                    return Optional.empty();
                }
                Optional<Kept> first = answered(request, fingerprint);
                if (first.isPresent()) {
                    return first;
                }
            }
        }
        throw beingAnswered();
    }

    /** Finds nothing when the key was released just now. */
    private Optional<Kept> answered(HttpRequest request, byte[] fingerprint) {
        Optional<Kept> kept = keys.find(request);
        if (kept.isPresent() && kept.get().isOfAnotherRequest(fingerprint)) {
            throw otherRequest();
        }
        return kept.filter(known -> known.answer() != null);
    }

    /** A refused request has had no effect; after a failure the effect is unknown. */
    private void releaseUnlessAnswered(HttpRequest request, Exchange exchange) {
        exchange.setProperty(HOLDS_KEY, true);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                if (done.removeProperty(HOLDS_KEY) != null) {
                    int status = done.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 500, Integer.class);
                    keys.release(request, status < 500);
                }
            }
        });
    }

    /** A request that has lost its key returns the answer of the request that took the key. */
    private void keep(HttpRequest request, byte[] fingerprint, Exchange exchange) {
        writer.writeJson(exchange.getMessage());
        boolean kept = keys.keep(request, fingerprint, exchange.getMessage().getBody(String.class));
        exchange.removeProperty(HOLDS_KEY);
        if (!kept) {
            keys.find(request)
                    .filter(other -> other.answer() != null && !other.isOfAnotherRequest(fingerprint))
                    .ifPresent(other -> exchange.getMessage().setBody(other.answer()));
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw beingAnswered();
        }
    }

    private static ProblemException otherRequest() {
        return new ProblemException(409, "this Idempotency-Key was used for another request");
    }

    private static ProblemException beingAnswered() {
        return ProblemException.temporary(409, "a request with this Idempotency-Key is being answered, try again");
    }
}
