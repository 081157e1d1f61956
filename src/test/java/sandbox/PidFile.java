package sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Remembers a process beyond the life of this one, so that the next run can stop what a killed one left behind. Besides the pid it holds the instant at
 * which the process started: a pid is soon given to somebody else, and that one must never be stopped.
 */
record PidFile(Path file) {

    /** The system counts in ticks since boot and corrects its clock, so the same process may report slightly different instants. */
    private static final Duration TOLERANCE = Duration.ofSeconds(2);

    void write(ProcessHandle process) throws IOException {
        Files.writeString(file, "%d %s%n".formatted(process.pid(), started(process)));
    }

    /** The process that was remembered, if it still runs. */
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
