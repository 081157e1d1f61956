package routes.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * For how long, in milliseconds, partitions stood still though they had a record: from the later of the attempt before and the moment when the
 * record was sent, to its attempt.
 *
 * @param moved between attempts of two instances
 * @param stayed between those of one, which is what the machine needs as it is
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
