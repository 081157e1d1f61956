package routes.faults;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/** Waiting that takes no slow machine for a fault. Where something goes wrong it ends as well, later than one would wish. */
final class Patience {

    private static final Duration LONGEST = Duration.ofMinutes(5);

    private Patience() {}

    /** For one thing that happens, such as a takeover: until it has. */
    static ConditionFactory await() {
        return Awaitility.await().atMost(LONGEST).pollInterval(Duration.ofMillis(200));
    }

    /**
     * For work that takes as long as there is of it: while it goes on. Servers may be away meanwhile.
     *
     * @param progress changes while it does, and says where it is
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
