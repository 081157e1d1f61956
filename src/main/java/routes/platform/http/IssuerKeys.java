package routes.platform.http;

import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSetCacheRefreshEvaluator;
import com.nimbusds.jose.jwk.source.JWKSetSource;
import com.nimbusds.jose.jwk.source.JWKSetSourceWrapper;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.jwk.source.URLBasedJWKSetSource;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import java.net.URL;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * Caches the issuer's public keys. Fetches them on first use, every few minutes, and for an unknown key id, so that the
 * issuer can rotate keys. A rate limit keeps clients with made-up key ids from causing fetches. The last keys stay
 * valid for some hours while the issuer is down.
 */
final class IssuerKeys implements JWKSource<SecurityContext> {

    private static final int TIMEOUT_MS = 2000;
    private static final int MAX_BYTES = 100_000;

    /** Limits the wait for the fetch of another request: made-up key ids would keep all threads waiting. */
    private static final Duration WAIT = Duration.ofMillis(250);

    private static final Duration FRESH = Duration.ofMinutes(5);
    private static final Duration OUTAGE = Duration.ofHours(4);

    /** Allows two fetches at most. */
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    /** Limits the threads that wait for a silent issuer. */
    private static final int WAITING = 8;

    private final JWKSource<SecurityContext> source;
    private final Semaphore waiting = new Semaphore(WAITING);
    private final Duration outage;

    /** The last answer of the issuer, or null. */
    private volatile Seen last;

    private record Seen(JWKSet keys, long at) {}

    IssuerKeys(URL jwkSet) {
        this(jwkSet, FRESH, OUTAGE, INTERVAL);
    }

    /**
     * @param fresh the age at which the keys are fetched again
     * @param outage the age at which the keys expire while the issuer is down
     * @param interval allows two fetches at most
     */
    IssuerKeys(URL jwkSet, Duration fresh, Duration outage, Duration interval) {
        this.outage = outage;
        JWKSetSource<SecurityContext> issuer =
                new URLBasedJWKSetSource<>(jwkSet, new DefaultResourceRetriever(TIMEOUT_MS, TIMEOUT_MS, MAX_BYTES));
        source = JWKSourceBuilder.create(new JWKSetSourceWrapper<>(issuer) {
                    @Override
                    public JWKSet getJWKSet(JWKSetCacheRefreshEvaluator refresh, long now, SecurityContext context)
                            throws KeySourceException {
                        JWKSet keys = getSource().getJWKSet(refresh, now, context);
                        last = new Seen(keys, System.nanoTime());
                        return keys;
                    }
                })
                .cache(fresh.toMillis(), WAIT.toMillis())
                .refreshAheadCache(false)
                .rateLimited(interval.toMillis())
                .outageTolerant(outage.toMillis())
                .build();
    }

    @Override
    public List<JWK> get(JWKSelector selector, SecurityContext context) throws KeySourceException {
        if (!waiting.tryAcquire()) {
            List<JWK> keys = selector.select(lastKeys());
            if (keys.isEmpty()) {
                throw new KeySourceException("too many requests wait for the keys of the issuer");
            }
            return keys;
        }
        try {
            return find(selector, context);
        } finally {
            waiting.release();
        }
    }

    private List<JWK> find(JWKSelector selector, SecurityContext context) throws KeySourceException {
        try {
            return source.get(selector, context);
        } catch (KeySourceException e) {
            // also happens when the fetch of another request, for a made-up key id, takes too long
            JWKSet known = lastKeys();
            List<JWK> keys = selector.select(known);
            // after a fetch just now, an unknown key means an invalid token and not an outage
            boolean isAnswer = !keys.isEmpty() || e instanceof RateLimitReachedException && !known.isEmpty();
            if (!isAnswer) {
                throw e;
            }
            return keys;
        }
    }

    /** Returns no keys after the outage limit. */
    private JWKSet lastKeys() {
        Seen seen = last;
        return seen == null || System.nanoTime() - seen.at() > outage.toNanos() ? new JWKSet() : seen.keys();
    }
}
