package routes.platform.projection;

import java.util.UUID;
import routes.platform.step.JobHandler;

/** A running rebuild, with the columns that a step needs. */
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
        /** Creates the shadow tables. */
        PREPARE,
        /** Finds the keys with an event in the range of time. */
        FIND,
        /** Replays records; close to the end, compares. */
        READ,
        /** Replays until the tables can swap. */
        SWAP
    }

    boolean hasTimeRange() {
        return fromTime != null || toTime != null;
    }

    /** The id under which {@code projection_rebuild_key} lists the keys to rebuild; null for all keys. */
    UUID keyFilter() {
        return key != null || hasTimeRange() ? id : null;
    }

    boolean inRange(long timestamp) {
        return (fromTime == null || timestamp >= fromTime) && (toTime == null || timestamp < toTime);
    }
}
