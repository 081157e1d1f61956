package routes.platform.http;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.bucket4j.Bucket;
import java.time.Duration;

/** Limits the requests per second of each client or tenant with a token bucket of one second's worth. */
final class RateLimiter {

    /** A bucket is full again after a second, so forgetting one later gives nobody extra requests. */
    private static final Duration EXPIRY = Duration.ofMinutes(1);

    private static final int MAX_BUCKETS = 10_000;

    private final LoadingCache<Object, Bucket> buckets;

    RateLimiter(int perSecond) {
        buckets = Caffeine.newBuilder()
                .maximumSize(MAX_BUCKETS)
                .expireAfterAccess(EXPIRY)
                .build(key -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(perSecond).refillGreedy(perSecond, Duration.ofSeconds(1)))
                        .build());
    }

    /** @param key a client or a tenant */
    boolean tryConsume(Object key) {
        return buckets.get(key).tryConsume(1);
    }
}
