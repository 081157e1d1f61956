package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static routes.faults.Load.CREATED;
import static routes.faults.Load.UPDATED;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.JdbcTemplate;
import routes.TopicRecords;
import sandbox.Servers;

/**
 * Checks the outcome of a load. A handler notes each attempt first, in a transaction of its own. A second attempt of
 * any instance is a repeated attempt.
 */
final class Outcome {

    static final String GROUP = "pharmacy-prescription-processor";

    private final String brokers;
    private final Admin admin;
    private final JdbcTemplate jdbc;

    Outcome(Servers servers, Admin admin, JdbcTemplate jdbc) {
        brokers = Clients.brokers(servers);
        this.admin = admin;
        this.jdbc = jdbc;
    }

    /** @param distinct good records with an attempt */
    record Attempts(int all, int distinct) {

        int repeated() {
            return all - distinct;
        }

        double repeatedPercent() {
            return 100.0 * repeated() / all;
        }
    }

    /** Waits for all work, prints the counts, and checks that nothing is lost, doubled or out of order. */
    Attempts verify(String what, Load load) throws Exception {
        load.finish();
        Patience.whileMoving(() -> List.of(effects(load.run), lag())).untilAsserted(() -> {
            assertThat(effects(load.run)).as("effects").isGreaterThanOrEqualTo(load.sent.get());
            assertThat(found(load)).as("dead letters").hasSize(load.poison.size());
            assertThat(lag()).as("lag").isZero();
        });
        int effects = effects(load.run);
        int distinct = count("select count(distinct event_id) from fault_effect where run = ?", load.run);
        Attempts attempts = new Attempts(
                attempts(load.run),
                count("select count(distinct event_id) from fault_attempt where run = ?", load.run));
        int disordered = count(
                """
                select count(*) from (
                  select seq, lag(seq) over (partition by topic, key order by id) before from fault_effect where run = ?) e
                where seq < before""",
                load.run);
        List<ConsumerRecord<byte[], byte[]>> letters = letters(load);
        Map<String, String> found = found(load);
        long identical = found.entrySet().stream()
                .filter(letter -> letter.getValue().equals(load.poison.get(letter.getKey())))
                .count();
        Set<String> ids =
                letters.stream().map(letter -> header(letter, "dead-letter-id")).collect(Collectors.toSet());
        System.out.printf(
                "faults: %s: sent %d, lost %d, second effects %d, out of order %d, attempts %d (%d repeated, %.1f %%); poison %d, dead letters %d (%d distinct), bytes identical %d%n",
                what,
                load.sent.get(),
                load.sent.get() - distinct,
                effects - distinct,
                disordered,
                attempts.all(),
                attempts.repeated(),
                attempts.repeatedPercent(),
                load.poison.size(),
                letters.size(),
                ids.size(),
                identical);
        assertThat(distinct).isEqualTo(load.sent.get());
        assertThat(effects).isEqualTo(distinct);
        assertThat(disordered).isZero();
        assertThat(ids).hasSize(load.poison.size());
        assertThat(identical).isEqualTo(load.poison.size());
        return attempts;
    }

    int effects(String run) {
        return count("select count(*) from fault_effect where run = ?", run);
    }

    int attempts(String run) {
        return count("select count(*) from fault_attempt where run = ?", run);
    }

    int attempts(String run, Instance instance) {
        return count("select count(*) from fault_attempt where run = ? and process = ?", run, instance.pid());
    }

    /** Waits until this many further records of a load have their effect. */
    void awaitEffects(Load load, int further) {
        int goal = effects(load.run) + further;
        Patience.whileMoving(() -> effects(load.run)).until(() -> effects(load.run) >= goal);
    }

    /** Waits until an instance has attempted this many records of a load. */
    void awaitAttempts(Load load, Instance instance, int count) {
        Patience.whileMoving(() -> attempts(load.run, instance))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> attempts(load.run, instance) >= count);
    }

    /** Counts the records that the group has not committed. */
    long lag() throws Exception {
        return Clients.lag(admin, GROUP, List.of(CREATED, UPDATED));
    }

    List<ConsumerRecord<byte[], byte[]>> letters(Load load) {
        return Stream.of(CREATED + ".dlq", UPDATED + ".dlq")
                .flatMap(topic -> TopicRecords.read(brokers, topic).stream())
                .filter(letter -> load.run.equals(header(letter, Load.RUN)))
                .toList();
    }

    int count(String sql, Object... parameters) {
        return jdbc.queryForObject(sql, Integer.class, parameters);
    }

    /** Returns key and SHA-256 of each dead letter of a load, by the id of its record. */
    private Map<String, String> found(Load load) {
        Map<String, String> found = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> letter : letters(load)) {
            String id = letter.headers().lastHeader("poison-id") == null ? "none" : header(letter, "poison-id");
            found.put(id, text(letter.key()).substring(load.run.length()) + " " + Load.sha256(letter.value()));
        }
        return found;
    }

    static String header(ConsumerRecord<byte[], byte[]> letter, String name) {
        return text(letter.headers().lastHeader(name).value());
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
