package routes.platform.http;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.security.SecurityProperties;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import routes.platform.error.ProblemException;

/**
 * Limits the concurrent requests and the requests per second of each client and tenant. Runs after Spring Security,
 * which identifies the caller.
 */
@Component
@Order(SecurityProperties.DEFAULT_FILTER_ORDER + 1)
class RequestLimitFilter extends OncePerRequestFilter {

    private static final Duration REJECTION_DELAY = Duration.ofSeconds(1);

    private final HttpLimits limits;
    private final ProblemResponses problems;
    private final RejectionCounter rejections;
    private final ClientBulkhead bulkhead;
    private final ConcurrencyLimiter withToken;
    private final ConcurrencyLimiter withoutToken;
    private final RateLimiter clientRate;
    private final RateLimiter tenantRate;

    RequestLimitFilter(
            HttpLimits limits,
            ProblemResponses problems,
            RejectionCounter rejections,
            ClientBulkhead bulkhead,
            @Value("${server.tomcat.threads.max}") int threads) {
        this.limits = limits;
        this.problems = problems;
        this.rejections = rejections;
        this.bulkhead = bulkhead;
        this.withToken = limits.inFlight(threads);
        this.withoutToken = limits.inFlightWithoutToken(threads);
        this.clientRate = new RateLimiter(limits.clientRate());
        this.tenantRate = new RateLimiter(limits.tenantRate());
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        ClientKey client = ClientKey.of(request);
        Optional<ProblemException> rejection = admit(client);
        if (rejection.isPresent()) {
            rejectLater(request, response, rejection.get());
            return;
        }
        try {
            if (!bulkhead.tryAcquire(client)) {
                rejectLater(
                        request,
                        response,
                        tooMany(
                                "client-turns",
                                "this client has more slow requests than the %d that may run at a time",
                                bulkhead.maxConcurrent()));
                return;
            }
            try {
                DeadlineResponse answer = new DeadlineResponse(response, limits.bodyTimeout());
                chain.doFilter(request, answer);
                answer.requireCompleted();
            } finally {
                bulkhead.release(client);
            }
        } finally {
            inFlight(client).release(client);
        }
    }

    /** Answers after a delay that takes no thread: a client that retries immediately is slowed down. */
    private void rejectLater(HttpServletRequest request, HttpServletResponse response, ProblemException rejection) {
        AsyncContext later = request.startAsync(request, response);
        later.setTimeout(REJECTION_DELAY.toMillis());
        later.addListener(new AsyncListener() {
            @Override
            public void onTimeout(AsyncEvent event) throws IOException {
                try {
                    reject(request, response, rejection);
                } finally {
                    later.complete();
                }
            }

            @Override
            public void onComplete(AsyncEvent event) {
                // answered
            }

            @Override
            public void onError(AsyncEvent event) {
                // the caller has disconnected
            }

            @Override
            public void onStartAsync(AsyncEvent event) {
                // nothing else starts it
            }
        });
    }

    private void reject(HttpServletRequest request, HttpServletResponse response, ProblemException rejection)
            throws IOException {
        problems.reject(request, response, rejection.status(), rejection.getMessage(), (String)
                request.getAttribute(RequestFilter.CORRELATION_ID));
    }

    /** Takes a permit for a request, or returns why there is none. */
    private Optional<ProblemException> admit(ClientKey client) {
        if (!clientRate.tryConsume(client)) {
            return Optional.of(tooMany(
                    "client-rate",
                    "this client sends more than %d requests in a second, the most that one may send",
                    limits.clientRate()));
        }
        if (!tenantRate.tryConsume(client.tenant())) {
            return Optional.of(tooMany(
                    "tenant-rate",
                    "the clients of this tenant send more than %d requests in a second, the most that a tenant may send",
                    limits.tenantRate()));
        }
        ConcurrencyLimiter inFlight = inFlight(client);
        return inFlight.tryAcquire(client).map(level -> switch (level) {
            case CLIENT ->
                tooMany(
                        "client-requests",
                        "this client has %d requests in flight, the most that one may have",
                        inFlight.limit(level));
            case TENANT ->
                tooMany(
                        "tenant-requests",
                        "the clients of this tenant have %d requests in flight, the most that a tenant may have",
                        inFlight.limit(level));
            // is reached only when every thread has a request
            case ALL ->
                tooMany("requests", "%d requests are in flight, the most that there may be", inFlight.limit(level));
        });
    }

    private ConcurrencyLimiter inFlight(ClientKey client) {
        return client.hasToken() ? withToken : withoutToken;
    }

    private ProblemException tooMany(String limit, String error, int most) {
        return rejections.reject(limit, 429, error.formatted(most));
    }
}
