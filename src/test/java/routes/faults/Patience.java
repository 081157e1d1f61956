package routes.faults;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Waits without taking a slow machine for a fault. A real fault ends the wait late. */
final class Patience {

    private static final Duration LONGEST = Duration.ofMinutes(5);

    private Patience() {}

    /** Waits for one event, such as a takeover. */
    static ConditionFactory await() {
        return Awaitility.await().atMost(LONGEST).pollInterval(Duration.ofMillis(200));
    }

    /**
     * Waits for work while it progresses. Servers may be down meanwhile.
     *
     * @param progress describes the progress; changes while work goes on
     */
    static ConditionFactory whileMoving(Callable<?> progress) {
        Standstill standstill = new Standstill(progress);
        return Awaitility.await()
                .forever()
                .pollInterval(Duration.ofMillis(200))
                .ignoreExceptions()
                .failFast(standstill::check);
    }

    private static final class Standstill {

        private final Callable<?> progress;
        private Object last;
        private long since = System.nanoTime();

        private Standstill(Callable<?> progress) {
            this.progress = progress;
        }

        private void check() {
            Object now;
            try {
                now = progress.call();
            } catch (Exception e) {
                now = last;
            }
            if (!Objects.equals(now, last)) {
                last = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > LONGEST.toNanos()) {
                throw new AssertionError("nothing has moved for " + LONGEST + ", it is at " + last);
            }
        }
    }
}
