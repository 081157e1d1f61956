package routes.platform.http;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
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

    private final HttpLimits limits;
    private final Problems problems;
    private final Refusals refusals;
    private final Shares underWay;
    private final Rates clients;
    private final Rates tenants;

    RequestLimits(
            HttpLimits limits,
            Problems problems,
            Refusals refusals,
            @Value("${server.tomcat.threads.max}") int threads) {
        this.limits = limits;
        this.problems = problems;
        this.refusals = refusals;
        this.underWay = limits.shares(threads);
        this.clients = new Rates(limits.clientRate());
        this.tenants = new Rates(limits.tenantRate());
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Client client = Client.of(request);
        Optional<ProblemException> refusal = refusal(client);
        if (refusal.isPresent()) {
            problems.refuse(response, refusal.get().status(), refusal.get().getMessage(), (String)
                    request.getAttribute(RequestFilter.CORRELATION_ID));
            return;
        }
        try {
            chain.doFilter(request, new TimedAnswer(response, limits.bodyTimeout()));
        } finally {
            underWay.giveBack(client);
        }
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

    private ProblemException tooMany(String limit, String error, int most) {
        return refusals.count(limit, 429, error.formatted(most));
    }
}
