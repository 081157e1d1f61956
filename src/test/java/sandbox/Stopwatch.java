package sandbox;

import java.time.Duration;
import java.util.Locale;
import java.util.StringJoiner;

/** Measures the parts of a piece of work in seconds. */
final class Stopwatch {

    private final StringJoiner laps = new StringJoiner(", ");
    private long lapStart = System.nanoTime();

    /** Ends a part. */
    void lap(String what) {
        long now = System.nanoTime();
        laps.add(String.format(
                Locale.ROOT,
                "%s in %.1f s",
                what,
                Duration.ofNanos(now - lapStart).toMillis() / 1000.0));
        lapStart = now;
    }

    /** {@code installed in 0.2 s, started in 2.5 s} */
    @Override
    public String toString() {
        return laps.toString();
    }
}
