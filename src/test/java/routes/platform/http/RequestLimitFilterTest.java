package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.mock.web.MockAsyncContext;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.util.unit.DataSize;
import routes.platform.error.FailureClassifier;

class RequestLimitFilterTest {

    private static final int THREADS = 8;

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @Test
    void rejectsAClientAboveItsShareInFlight() {
        RequestLimitFilter limits = limits(1000, 1000);

        assertThat(whileUnderWay(limits, "a", 6, () -> errors(limits, "a", 1)))
                .containsExactly("this client has 6 requests in flight, the most that one may have, try again");
        assertThat(errors(limits, "a", 1)).isEmpty();
        assertThat(refused("client-requests")).isEqualTo(1);
    }

    @Test
    void answersAnotherClientMeanwhile() {
        RequestLimitFilter limits = limits(1000, 1000);

        assertThat(whileUnderWay(limits, "a", 6, () -> errors(limits, "b", 1))).isEmpty();
    }

    @Test
    void countsAllRequestsWithoutATokenAsOneClient() {
        RequestLimitFilter limits = limits(1000, 1000);

        assertThat(whileUnderWay(limits, null, 4, () -> errors(limits, null, 1)))
                .as("requests without a token have the threads for reads")
                .hasSize(1);
        assertThat(whileUnderWay(limits, null, 4, () -> errors(limits, "a", 1))).isEmpty();
    }

    @Test
    void rejectsARequestWhenTheQueueOfItsClientIsFull() throws Exception {
        ClientBulkhead bulkhead = new ClientBulkhead();
        ClientKey client = new ClientKey("default", "a");
        for (int i = 0; i < bulkhead.maxConcurrent(); i++) {
            assertThat(bulkhead.tryAcquire(client)).isTrue();
        }
        ExecutorService line = Executors.newCachedThreadPool();
        try {
            List<Future<Boolean>> entered = new ArrayList<>();
            for (int i = 0; i < 3 * bulkhead.maxConcurrent(); i++) {
                entered.add(line.submit(() -> bulkhead.tryAcquire(client)));
            }
            await().atMost(Duration.ofSeconds(1)).until(() -> entered.stream().anyMatch(Future::isDone));
            for (int i = 0; i < 2 * bulkhead.maxConcurrent(); i++) {
                bulkhead.release(client);
            }
            int refused = 0;
            for (Future<Boolean> one : entered) {
                refused += one.get() ? 0 : 1;
            }
            assertThat(refused).isBetween(1, bulkhead.maxConcurrent());
        } finally {
            line.shutdownNow();
        }
    }

    @Test
    void rejectsAClientAboveItsRate() {
        assertThat(errors(limits(3, 1000), "a", 100))
                .hasSizeGreaterThan(50)
                .containsOnly(
                        "this client sends more than 3 requests in a second, the most that one may send, try again");
        assertThat(refused("client-rate")).isGreaterThan(50);
    }

    @Test
    void rejectsATenantAboveItsRate() {
        RequestLimitFilter limits = limits(1000, 3);
        errors(limits, "a", 50);

        assertThat(errors(limits, "b", 50))
                .isNotEmpty()
                .allMatch(error -> error.startsWith("the clients of this tenant send more than 3 requests"));
    }

    @Test
    void failsTheStartWithoutThreadsForReads() {
        assertRefused(limits(THREADS, 1, 0.5, 0.75, 1, 1), "max-waiting");
    }

    @Test
    void failsTheStartWithLimitsThatLetNothingThrough() {
        assertRefused(limits(4, 0, 0.5, 0.75, 1, 1), "max-publishing");
        assertRefused(limits(4, 5, 0.5, 0.75, 1, 1), "max-publishing");
        assertRefused(limits(4, 1, 0, 0.75, 1, 1), "client-share");
        assertRefused(limits(4, 1, 0.5, 1.1, 1, 1), "tenant-share");
        assertRefused(limits(4, 1, 0.5, Double.NaN, 1, 1), "tenant-share");
        assertRefused(limits(4, 1, 0.5, 0.75, 0, 1), "client-rate");
        assertRefused(limits(4, 1, 0.5, 0.75, 1, -1), "tenant-rate");
    }

    private void assertRefused(HttpLimits limits, String property) {
        assertThatThrownBy(() ->
                        new WaitingRequestLimiter(limits, new ClientBulkhead(), new RejectionCounter(meters), THREADS))
                .isInstanceOf(InvalidConfigurationPropertyValueException.class)
                .hasMessageContaining("event-broker.http." + property);
    }

    private static HttpLimits limits(
            int waiting, int publishing, double client, double tenant, int clientRate, int tenantRate) {
        return new HttpLimits(
                DataSize.ofMegabytes(1),
                Duration.ofSeconds(1),
                waiting,
                publishing,
                client,
                tenant,
                clientRate,
                tenantRate);
    }

    private RequestLimitFilter limits(int clientRate, int tenantRate) {
        return new RequestLimitFilter(
                limits(4, 1, 0.5, 0.75, clientRate, tenantRate),
                new ProblemResponses(new ObjectMapper(), new FailureClassifier(), List.of()),
                new RejectionCounter(meters),
                new ClientBulkhead(),
                THREADS);
    }

    private double refused(String limit) {
        return meters.counter("event-broker.http.refused", "limit", limit).count();
    }

    private interface Asked {
        List<String> get();
    }

    private static List<String> whileUnderWay(RequestLimitFilter limits, String client, int requests, Asked then) {
        if (requests == 0) {
            return then.get();
        }
        List<String> errors = new ArrayList<>();
        call(limits, client, () -> errors.addAll(whileUnderWay(limits, client, requests - 1, then)));
        return errors;
    }

    /** The errors of the rejected requests. */
    private static List<String> errors(RequestLimitFilter limits, String client, int requests) {
        List<String> errors = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            MockHttpServletResponse answer = call(limits, client, () -> {});
            if (answer.getStatus() != 200) {
                assertThat(answer.getStatus()).isEqualTo(429);
                assertThat(answer.getHeader("Retry-After")).isNotNull();
                errors.add(error(answer));
            }
        }
        return errors;
    }

    private static String error(MockHttpServletResponse answer) {
        try {
            return new ObjectMapper()
                    .readTree(answer.getContentAsByteArray())
                    .path("error")
                    .asText();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static MockHttpServletResponse call(RequestLimitFilter limits, String client, Runnable work) {
        MockHttpServletRequest request = new MockHttpServletRequest();
        request.setAsyncSupported(true);
        if (client != null) {
            request.setUserPrincipal(new JwtAuthenticationToken(new Jwt(
                    "token",
                    Instant.now(),
                    Instant.now().plusSeconds(60),
                    Map.of("alg", "RS256"),
                    Map.of("sub", client, "tenant", "default"))));
        }
        MockHttpServletResponse response = new MockHttpServletResponse();
        try {
            limits.doFilter(request, response, (called, answered) -> work.run());
            if (request.isAsyncStarted()) {
                MockAsyncContext later = (MockAsyncContext) request.getAsyncContext();
                for (AsyncListener listener : List.copyOf(later.getListeners())) {
                    listener.onTimeout(new AsyncEvent(later));
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return response;
    }
}
