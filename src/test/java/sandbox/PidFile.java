package sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Remembers a process, so that the next run can stop the leftovers of a killed run. The file holds the pid and the
 * start instant, because the system reuses a pid, and its new owner must never be stopped.
 */
record PidFile(Path file) {

    /** Tolerance for the start instant, which the system derives from ticks since boot. */
    private static final Duration TOLERANCE = Duration.ofSeconds(2);

    void write(ProcessHandle process) throws IOException {
        Files.writeString(file, "%d %s%n".formatted(process.pid(), started(process)));
    }

    /** Returns the remembered process while it runs. */
    Optional<ProcessHandle> process() throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        String[] fields = Files.readString(file).trim().split(" ");
        if (fields.length != 2) {
            // The writer was killed half-way.
            return Optional.empty();
        }
        Instant remembered = Instant.parse(fields[1]);
        return ProcessHandle.of(Long.parseLong(fields[0]))
                .filter(ProcessHandle::isAlive)
                .filter(process ->
                        Duration.between(remembered, started(process)).abs().compareTo(TOLERANCE) <= 0);
    }

    void delete() throws IOException {
        Files.deleteIfExists(file);
    }

    private static Instant started(ProcessHandle process) {
        return process.info().startInstant().orElse(Instant.EPOCH);
    }
}
