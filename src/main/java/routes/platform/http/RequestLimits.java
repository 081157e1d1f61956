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
 * Lets no client, and not the clients of one tenant, have more of the server's threads than their share, nor come more often than they may. Stands
 * behind Spring Security, where it is known who calls.
 */
@Component
@Order(SecurityProperties.DEFAULT_FILTER_ORDER + 1)
class RequestLimits extends OncePerRequestFilter {

    private static final Duration LATER = Duration.ofSeconds(1);

    private final HttpLimits limits;
    private final ProblemResponses problems;
    private final Refusals refusals;
    private final Turns turns;
    private final Shares withToken;
    private final Shares withoutToken;
    private final Rates clients;
    private final Rates tenants;

    RequestLimits(
            HttpLimits limits,
            ProblemResponses problems,
            Refusals refusals,
            Turns turns,
            @Value("${server.tomcat.threads.max}") int threads) {
        this.limits = limits;
        this.problems = problems;
        this.refusals = refusals;
        this.turns = turns;
        this.withToken = limits.underWay(threads);
        this.withoutToken = limits.underWayWithoutToken(threads);
        this.clients = new Rates(limits.clientRate());
        this.tenants = new Rates(limits.tenantRate());
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Client client = Client.of(request);
        Optional<ProblemException> refusal = refusal(client);
        if (refusal.isPresent()) {
            refuseLater(request, response, refusal.get());
            return;
        }
        try {
            if (!turns.enter(client)) {
                refuseLater(
                        request,
                        response,
                        tooMany(
                                "client-turns",
                                "this client has %d requests that take long, the most that one may have",
                                turns.atOnce()));
                return;
            }
            try {
                TimedAnswer answer = new TimedAnswer(response, limits.bodyTimeout());
                chain.doFilter(request, answer);
                answer.requireWhole();
            } finally {
                turns.leave(client);
            }
        } finally {
            underWay(client).giveBack(client);
        }
    }

    /** Who does not wait before the next one, but sends again at once, has to: without a thread. */
    private void refuseLater(HttpServletRequest request, HttpServletResponse response, ProblemException refusal) {
        AsyncContext later = request.startAsync(request, response);
        later.setTimeout(LATER.toMillis());
        later.addListener(new AsyncListener() {
            @Override
            public void onTimeout(AsyncEvent event) throws IOException {
                try {
                    refuse(request, response, refusal);
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
                // the caller has gone
            }

            @Override
            public void onStartAsync(AsyncEvent event) {
                // begun by us alone
            }
        });
    }

    private void refuse(HttpServletRequest request, HttpServletResponse response, ProblemException refusal)
            throws IOException {
        problems.refuse(response, refusal.status(), refusal.getMessage(), (String)
                request.getAttribute(RequestFilter.CORRELATION_ID));
    }

    private Optional<ProblemException> refusal(Client client) {
        if (!clients.take(client)) {
            return Optional.of(tooMany(
                    "client-rate",
                    "this client sends more than %d requests in a second, the most that one may send",
                    limits.clientRate()));
        }
        if (!tenants.take(client.tenant())) {
            return Optional.of(tooMany(
                    "tenant-rate",
                    "the clients of this tenant send more than %d requests in a second, the most that a tenant may send",
                    limits.tenantRate()));
        }
        Shares underWay = underWay(client);
        return underWay.take(client).map(holder -> switch (holder) {
            case CLIENT ->
                tooMany(
                        "client-requests",
                        "this client has %d requests under way, the most that one may have",
                        underWay.most(holder));
            case TENANT ->
                tooMany(
                        "tenant-requests",
                        "the clients of this tenant have %d requests under way, the most that a tenant may have",
                        underWay.most(holder));
            // not before there are as many threads
            case ALL ->
                tooMany("requests", "%d requests are under way, the most that there may be", underWay.most(holder));
        });
    }

    private Shares underWay(Client client) {
        return client.hasToken() ? withToken : withoutToken;
    }

    private ProblemException tooMany(String limit, String error, int most) {
        return refusals.count(limit, 429, error.formatted(most));
    }
}
