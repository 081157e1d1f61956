package routes.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Measures in milliseconds how long a partition with records stood still. A pause begins with the attempt before, or
 * with the send if that is later, and ends with the attempt.
 *
 * @param moved pauses between attempts of two instances
 * @param stayed pauses between attempts of one instance, which the machine causes
 */
record Pauses(List<Long> moved, List<Long> stayed) {

    private record Attempt(String topic, int part, long process, long sentAt, long at) {

        boolean isOfPartitionOf(Attempt other) {
            return topic.equals(other.topic) && part == other.part;
        }
    }

    static Pauses of(JdbcTemplate jdbc, String run) {
        List<Attempt> attempts = jdbc.query(
                "select topic, part, process, sent_at, at from fault_attempt where run = ? order by topic, part, at",
                (row, n) -> new Attempt(
                        row.getString("topic"),
                        row.getInt("part"),
                        row.getLong("process"),
                        row.getLong("sent_at"),
                        row.getLong("at")),
                run);
        Pauses pauses = new Pauses(new ArrayList<>(), new ArrayList<>());
        for (int i = 1; i < attempts.size(); i++) {
            Attempt before = attempts.get(i - 1);
            Attempt attempt = attempts.get(i);
            if (attempt.isOfPartitionOf(before)) {
                (attempt.process() == before.process() ? pauses.stayed : pauses.moved)
                        .add(Math.max(0, attempt.at() - Math.max(before.at(), attempt.sentAt())));
            }
        }
        return pauses;
    }

    long longestMoved() {
        return sorted(moved).max().orElse(0);
    }

    long longestStayed() {
        return sorted(stayed).max().orElse(0);
    }

    long medianMoved() {
        return sorted(moved).skip(moved.size() / 2).findFirst().orElse(0);
    }

    private static LongStream sorted(List<Long> pauses) {
        return pauses.stream().mapToLong(pause -> pause).sorted();
    }
}
