package routes.platform.database;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.springframework.dao.DataAccessException;

/**
 * Runs one query for all gauges of a scrape, once in a few seconds. While the database does not answer, the gauges are
 * NaN.
 *
 * @param <T> the row
 */
public final class GaugeQuery<T> {

    private static final long CACHE_NANOS = Duration.ofSeconds(5).toNanos();

    private final Supplier<T> query;

    /** Null before the first scrape, and while the database does not answer. */
    private T row;

    private long askedAt = System.nanoTime() - CACHE_NANOS;

    /** @param query may throw {@link DataAccessException} */
    public GaugeQuery(Supplier<T> query) {
        this.query = query;
    }

    /**
     * Registers a gauge of the row.
     *
     * @param unit null for a number of things
     */
    public void register(MeterRegistry meters, String name, String unit, ToDoubleFunction<T> value) {
        Gauge.builder(name, this, known -> known.valueOf(value))
                .baseUnit(unit)
                // nobody else holds the query
                .strongReference(true)
                .register(meters);
    }

    private synchronized double valueOf(ToDoubleFunction<T> value) {
        if (System.nanoTime() - askedAt >= CACHE_NANOS) {
            try {
                row = query.get();
            } catch (DataAccessException e) {
                row = null;
            }
            askedAt = System.nanoTime();
        }
        return row == null ? Double.NaN : value.applyAsDouble(row);
    }
}
