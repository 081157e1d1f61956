package sandbox;

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

/** While routes are exchanged, a request that arrives waits instead of finding no route. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class RequestPause extends OncePerRequestFilter {

    private static final int LONGEST_WAIT_S = 20;

    private final Semaphore open = new Semaphore(1);

    void pause() throws InterruptedException {
        open.acquire();
    }

    void resume() {
        open.release();
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (!isOpen()) {
            response.setHeader("Retry-After", "1");
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            return;
        }
        chain.doFilter(request, response);
    }

    private boolean isOpen() {
        try {
            if (open.tryAcquire(LONGEST_WAIT_S, TimeUnit.SECONDS)) {
                open.release();
                return true;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }
}
