package routes.platform.http;

import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.github.bucket4j.Bucket;
import java.time.Duration;

/** How often a client may come, or a tenant: a second's worth at once, and then as fast as its bucket fills. */
final class Rates {

    /** A bucket is full again after a second, so one that is forgotten is none that somebody has emptied. */
    private static final Duration REMEMBERED = Duration.ofMinutes(1);

    private static final int MOST = 10_000;

    private final LoadingCache<Object, Bucket> buckets;

    Rates(int perSecond) {
        buckets = Caffeine.newBuilder()
                .maximumSize(MOST)
                .expireAfterAccess(REMEMBERED)
                .build(of -> Bucket.builder()
                        .addLimit(limit -> limit.capacity(perSecond).refillGreedy(perSecond, Duration.ofSeconds(1)))
                        .build());
    }

    boolean take(Object of) {
        return buckets.get(of).tryConsume(1);
    }
}
