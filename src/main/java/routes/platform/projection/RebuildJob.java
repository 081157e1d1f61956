package routes.platform.projection;

import java.util.UUID;
import routes.platform.step.JobHandler;

/** A rebuild that is at work, as a row says. */
record RebuildJob(
        UUID id,
        String projection,
        Step step,
        boolean dryRun,
        String key,
        Long fromTime,
        Long toTime,
        int failures,
        int unknownFailures)
        implements JobHandler.Job {

    enum Step {
        /** Makes the tables. */
        PREPARE,
        /** Finds the keys that have an event in a range of time. */
        FIND,
        /** Makes records part of the tables; close to the end, compares. */
        READ,
        /** Goes on until the tables can be exchanged. */
        SWAP
    }

    boolean isOfTime() {
        return fromTime != null || toTime != null;
    }

    /** Which keys it is of, or null: of all. */
    UUID keysOf() {
        return key != null || isOfTime() ? id : null;
    }

    boolean has(long timestamp) {
        return (fromTime == null || timestamp >= fromTime) && (toTime == null || timestamp < toTime);
    }
}
