package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import routes.platform.http.ConcurrencyLimiter.Level;

class ConcurrencyLimiterTest {

    private final ClientKey a = new ClientKey("t", "a");
    private final ClientKey b = new ClientKey("t", "b");
    private final ClientKey c = new ClientKey("u", "c");
    private final ClientKey d = new ClientKey("v", "d");

    private final ConcurrencyLimiter limiter = new ConcurrencyLimiter(4, 3, 2);

    @Test
    void limitsAClient() {
        acquire(a, 2);

        assertThat(limiter.tryAcquire(a)).contains(Level.CLIENT);
        assertThat(limiter.tryAcquire(b)).isEmpty();
    }

    @Test
    void limitsTheClientsOfATenant() {
        acquire(a, 2);
        acquire(b, 1);

        assertThat(limiter.tryAcquire(b)).contains(Level.TENANT);
        assertThat(limiter.tryAcquire(c)).isEmpty();
    }

    @Test
    void limitsAllClientsTogether() {
        acquire(a, 2);
        acquire(c, 2);

        assertThat(limiter.tryAcquire(d)).contains(Level.ALL);
    }

    @Test
    void givesAReleasedPermitToAnotherClient() {
        acquire(a, 2);
        acquire(c, 2);
        limiter.release(a);

        assertThat(limiter.tryAcquire(d)).isEmpty();
        assertThat(limiter.tryAcquire(a)).contains(Level.ALL);
    }

    @Test
    void takesNoPermitWhenItRejects() {
        acquire(a, 2);
        assertThat(limiter.tryAcquire(a)).contains(Level.CLIENT);
        limiter.release(a);

        assertThat(limiter.tryAcquire(a)).isEmpty();
    }

    private void acquire(ClientKey client, int n) {
        for (int i = 0; i < n; i++) {
            assertThat(limiter.tryAcquire(client)).isEmpty();
        }
    }
}
