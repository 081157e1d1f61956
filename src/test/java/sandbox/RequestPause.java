package sandbox;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.filter.OncePerRequestFilter;

/** Holds arriving requests while routes are exchanged, so that none of them misses its route. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class RequestPause extends OncePerRequestFilter {

    private static final int LONGEST_WAIT_S = 20;
    private static final int LONGEST_DRAIN_S = 2;
    private static final int ALL = 10_000;

    /** One permit for each request in flight. */
    private final Semaphore permits = new Semaphore(ALL, true);

    private boolean paused;

    /** Waits for the requests in flight, but not for a long stream. */
    void pause() throws InterruptedException {
        paused = permits.tryAcquire(ALL, LONGEST_DRAIN_S, TimeUnit.SECONDS);
    }

    void resume() {
        if (paused) {
            permits.release(ALL);
        }
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (!admitted()) {
            response.setHeader("Retry-After", "1");
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            return;
        }
        try {
            chain.doFilter(request, response);
        } finally {
            if (request.isAsyncStarted()) {
                request.getAsyncContext().addListener(new Release());
            } else {
                permits.release();
            }
        }
    }

    private boolean admitted() {
        try {
            return permits.tryAcquire(LONGEST_WAIT_S, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private final class Release implements AsyncListener {

        @Override
        public void onComplete(AsyncEvent event) {
            permits.release();
        }

        @Override
        public void onTimeout(AsyncEvent event) {
            // completes next
        }

        @Override
        public void onError(AsyncEvent event) {
            // completes next
        }

        @Override
        public void onStartAsync(AsyncEvent event) {
            event.getAsyncContext().addListener(this);
        }
    }
}
