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
 * The issuer's public keys. They are fetched when they are first needed, every few minutes, and when a token names one that is not known,
 * so that a key can be exchanged; but strangers who make up key ids cannot have them fetched at will. While the issuer is away, those
 * that were there last are good for some hours.
 */
final class IssuerKeys implements JWKSource<SecurityContext> {

    private static final int TIMEOUT_MS = 2000;
    private static final int MAX_BYTES = 100_000;

    /** A request thread waits no longer for another one that fetches: strangers with made-up key ids would keep them all waiting. */
    private static final Duration WAIT = Duration.ofMillis(250);

    private static final Duration FRESH = Duration.ofMinutes(5);
    private static final Duration OUTAGE = Duration.ofHours(4);

    /** Within it they are fetched twice at most. */
    private static final Duration INTERVAL = Duration.ofSeconds(10);

    /** Of the server's threads, however many strangers make up key ids while the issuer is silent. */
    private static final int WAITING = 8;

    private final JWKSource<SecurityContext> source;
    private final Semaphore waiting = new Semaphore(WAITING);
    private final Duration outage;

    /** What the issuer said last, or null. */
    private volatile Seen last;

    private record Seen(JWKSet keys, long at) {}

    IssuerKeys(URL jwkSet) {
        this(jwkSet, FRESH, OUTAGE, INTERVAL);
    }

    /**
     * @param fresh how long keys are used before they are fetched again
     * @param outage how long they are good while they cannot be fetched
     * @param interval within which they are fetched twice at most
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
            // also when another request that fetches them, for a key that somebody made up, takes too long
            JWKSet known = lastKeys();
            List<JWK> keys = selector.select(known);
            // when they were fetched just now, nobody has the key: the token is wrong, not the issuer away
            boolean isAnswer = !keys.isEmpty() || e instanceof RateLimitReachedException && !known.isEmpty();
            if (!isAnswer) {
                throw e;
            }
            return keys;
        }
    }

    /** None when they were seen too long ago. */
    private JWKSet lastKeys() {
        Seen seen = last;
        return seen == null || System.nanoTime() - seen.at() > outage.toNanos() ? new JWKSet() : seen.keys();
    }
}
