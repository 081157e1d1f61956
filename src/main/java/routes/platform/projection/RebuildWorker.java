package routes.platform.projection;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.error.Failures;
import routes.platform.error.ProblemException;
import routes.platform.event.Events;

/**
 * Builds projections anew from the log. A rebuild is a row; each of its steps is one transaction that locks the row, makes the next
 * records part of the tables of the rebuild, and notes behind what it has read. So any instance can take any step, exactly one takes
 * each, and when an instance dies the others go on where its last transaction ended.
 *
 * <p>A rebuild never reads beyond what the view that is served has read. Once it is close, projecting waits for the moment in which both
 * are at the same positions; they are compared as they are then, and later, in such a moment again, the one takes the place of the other.
 */
@Component("rebuildWorker")
class RebuildWorker implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RebuildWorker.class);

    /** Records of a step, and what a rebuild may be behind when projecting waits for it. */
    private static final int STEP = 2000;

    /** Of a range of time; for more it takes less to rebuild everything. */
    private static final int MOST_KEYS = 100_000;

    private static final int MOST_DIFFERENCES = 1000;

    /** For how long steps are taken before the route starts anew, so that a stop does not wait for a rebuild. */
    private static final long TURN_NANOS = 1_000_000_000L;

    /** After a turn that failed, doubled each time: what it waits for, a reader or a server, is there for long, and projecting has to go on. */
    private static final long PAUSE_NANOS = 500_000_000L;

    private static final long LONGEST_PAUSE_NANOS = 10_000_000_000L;

    /** For how long projecting waits for a rebuild that is close. */
    private static final long CATCH_UP_NANOS = 10_000_000_000L;

    private final Map<String, Projection> projections;
    private final JdbcClient jdbc;
    private final JdbcTemplate template;
    private final TransactionTemplate transaction;
    private final ShadowTables tables;
    private final Events events;
    private final Failures failures;
    private final ProjectionOffsets offsets;
    private final CamelContext camel;

    /** A stop does not wait for a comparison that takes long. */
    private final ReentrantLock working = new ReentrantLock();

    private long pause;
    private long pausedUntil = System.nanoTime();
    private LogReader reader;

    /** Of the rebuild that was at work last. */
    private UUID keysOf;

    private Set<String> keys;

    RebuildWorker(
            List<Projection> projections,
            JdbcClient jdbc,
            JdbcTemplate template,
            TransactionTemplate transaction,
            ShadowTables tables,
            Events events,
            Failures failures,
            ProjectionOffsets offsets,
            CamelContext camel) {
        this.projections = projections.stream().collect(Collectors.toMap(Projection::name, Function.identity()));
        this.jdbc = jdbc;
        this.template = template;
        this.transaction = transaction;
        this.tables = tables;
        this.events = events;
        this.failures = failures;
        this.offsets = offsets;
        this.camel = camel;
    }

    private enum Step {
        /** Makes the tables. */
        PREPARE,
        /** Finds the keys that have an event in a range of time. */
        FIND,
        /** Makes records part of the tables; close to the end, compares. */
        READ,
        /** Goes on until the tables can be exchanged. */
        SWAP
    }

    private record Run(UUID id, String projection, Step step, boolean dryRun, String key, Long fromTime, Long toTime) {

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

    /** Of each partition, where the log began, behind what a rebuild has read, and behind what the view has. */
    private record Positions(
            Map<TopicPartition, Long> first, Map<TopicPartition, Long> next, Map<TopicPartition, Long> end) {

        /** Records between the two. */
        static long distance(Map<TopicPartition, Long> from, Map<TopicPartition, Long> to) {
            return from.entrySet().stream()
                    .mapToLong(entry -> Math.max(0, to.get(entry.getKey()) - entry.getValue()))
                    .sum();
        }

        long left() {
            return distance(next, end);
        }
    }

    private record Position(String topic, int partition, Long firstOffset, Long nextOffset, long endOffset) {}

    /** Takes steps of all rebuilds for at most about a second. */
    public void work() {
        working.lock();
        try {
            if (System.nanoTime() < pausedUntil) {
                return;
            }
            long end = System.nanoTime() + TURN_NANOS;
            while (step() && System.nanoTime() < end) {
                // the next one
            }
            pause = 0;
        } catch (RuntimeException e) {
            forget();
            pause = Math.min(LONGEST_PAUSE_NANOS, Math.max(PAUSE_NANOS, 2 * pause));
            pausedUntil = System.nanoTime() + pause;
            throw e;
        } finally {
            working.unlock();
        }
    }

    @Override
    public void close() {
        if (working.tryLock()) {
            try {
                forget();
            } finally {
                working.unlock();
            }
        }
    }

    private void forget() {
        if (reader != null) {
            reader.close();
            reader = null;
        }
        keysOf = null;
        keys = null;
    }

    private boolean step() {
        Run[] taken = new Run[1];
        try {
            return Boolean.TRUE.equals(transaction.execute(status -> {
                Optional<Run> run = running();
                run.ifPresentOrElse(
                        r -> {
                            taken[0] = r;
                            try {
                                step(r, projections.get(r.projection()));
                            } catch (RegistryUnavailableException e) {
                                throw new UncheckedIOException(e);
                            }
                        },
                        this::rest);
                return run.isPresent();
            }));
        } catch (RuntimeException e) {
            if (taken[0] == null || failures.isDependencyDown(e)) {
                throw e;
            }
            fail(taken[0], failures.describe(e));
            forget();
            return true;
        }
    }

    /** Nothing to do, or another instance does it: then the next step may be taken here. */
    private void rest() {
        if (reader != null
                && !jdbc.sql("select exists (select 1 from projection_rebuild where state = 'RUNNING')")
                        .query(Boolean.class)
                        .single()) {
            forget();
        }
    }

    /** It would fail again: what is served stays as it is. */
    private void fail(Run run, String why) {
        LOG.error("rebuild {} of {} failed: {}", run.id(), run.projection(), why);
        transaction.executeWithoutResult(status -> {
            int failed = jdbc.sql(
                            """
                            update projection_rebuild
                            set state = 'FAILED', failure = ?, updated_at = clock_timestamp(), finished_at = clock_timestamp()
                            where id = ? and state = 'RUNNING'""")
                    .params(why, run.id())
                    .update();
            if (failed == 1) {
                tables.drop(projections.get(run.projection()));
            }
        });
    }

    private Optional<Run> running() {
        return jdbc.sql(
                        """
                        select id, projection, step, dry_run, key, from_time, to_time from projection_rebuild
                        where state = 'RUNNING' and projection in (:known)
                        order by started_at limit 1 for update skip locked""")
                .param("known", projections.keySet())
                .query(Run.class)
                .optional();
    }

    private void step(Run run, Projection projection) throws RegistryUnavailableException {
        if (run.step() != Step.PREPARE) {
            tables.check(projection);
        }
        switch (run.step()) {
            case PREPARE -> prepare(run, projection);
            case FIND -> find(run, projection);
            case READ -> {
                if (positions(run, projection).left() > STEP) {
                    advance(run, projection);
                } else {
                    compare(run, projection);
                }
            }
            case SWAP -> {
                if (positions(run, projection).left() > STEP) {
                    advance(run, projection);
                } else {
                    swap(run, projection);
                }
            }
        }
    }

    private void prepare(Run run, Projection projection) throws RegistryUnavailableException {
        LOG.info("rebuild {} of {} begins", run.id(), run.projection());
        tables.create(projection);
        // what the group has done with is in the view, or rests in the dead-letter topic; unless the database is a
        // backup: then this mends it
        Map<TopicPartition, Long> committed = offsets.committed(projection);
        template.batchUpdate(
                Projection.NOTE_POSITION,
                committed.entrySet().stream()
                        .map(entry -> new Object[] {
                            projection.name(),
                            entry.getKey().topic(),
                            entry.getKey().partition(),
                            entry.getValue()
                        })
                        .toList());
        Positions positions = positions(run, projection);
        reader().ends(positions.end().keySet()).forEach((partition, end) -> {
            if (end < positions.end().get(partition)) {
                throw new ProblemException(
                        409,
                        "%s partition %d ends at offset %d, before what the view has read: it is another log"
                                .formatted(partition.topic(), partition.partition(), end));
            }
        });
        next(run, run.isOfTime() ? Step.FIND : Step.READ);
    }

    /** Looks for keys in the next records. */
    private void find(Run run, Projection projection) throws RegistryUnavailableException {
        Positions positions = positions(run, projection);
        LogReader.Batch batch = reader().read(positions.next(), positions.end());
        Set<String> found = new HashSet<>();
        for (List<ConsumerRecord<byte[], byte[]>> records : batch.records().values()) {
            for (ConsumerRecord<byte[], byte[]> message : records) {
                event(message)
                        .filter(event -> run.has(event.event().metadata().timestamp()))
                        .ifPresent(event -> found.add(event.key()));
            }
        }
        template.batchUpdate(
                "insert into projection_rebuild_key (rebuild, key) values (?, ?) on conflict do nothing",
                found.stream().map(key -> new Object[] {run.id(), key}).toList());
        if (note(run, positions, batch, 0) > 0) {
            return;
        }
        int all = jdbc.sql("select count(*) from projection_rebuild_key where rebuild = ?")
                .param(run.id())
                .query(Integer.class)
                .single();
        if (all > MOST_KEYS) {
            throw new ProblemException(
                    409, "more than " + MOST_KEYS + " records have events in this range: rebuild the whole projection");
        }
        jdbc.sql("update projection_rebuild_position set next_offset = first_offset where rebuild = ?")
                .param(run.id())
                .update();
        next(run, Step.READ);
    }

    /**
     * Makes the next records part of the tables of the rebuild.
     *
     * @return how many there are behind them
     */
    private long advance(Run run, Projection projection) throws RegistryUnavailableException {
        Positions positions = positions(run, projection);
        LogReader.Batch batch = reader().read(positions.next(), positions.end());
        Set<String> wanted = keys(run);
        List<List<LoggedEvent>> next = new ArrayList<>();
        int poison = 0;
        for (List<ConsumerRecord<byte[], byte[]>> records : batch.records().values()) {
            List<LoggedEvent> ofPartition = new ArrayList<>(records.size());
            for (ConsumerRecord<byte[], byte[]> message : records) {
                if (wanted == null || isOf(wanted, message)) {
                    Optional<LoggedEvent> event = event(message);
                    event.ifPresent(ofPartition::add);
                    poison += event.isPresent() ? 0 : 1;
                }
            }
            if (!ofPartition.isEmpty()) {
                next.add(ofPartition);
            }
        }
        if (!next.isEmpty()) {
            tables.use(() -> next.forEach(projection::apply));
        }
        return note(run, positions, batch, poison);
    }

    private static boolean isOf(Set<String> keys, ConsumerRecord<byte[], byte[]> message) {
        return message.key() != null && keys.contains(new String(message.key(), StandardCharsets.UTF_8));
    }

    /** What is poison for the view that is served is passed over here: it rests in its dead-letter topic. */
    private Optional<LoggedEvent> event(ConsumerRecord<byte[], byte[]> message) throws RegistryUnavailableException {
        try {
            return Optional.of(LoggedEvent.of(message, events.decode(message)));
        } catch (ProblemException e) {
            return Optional.empty();
        }
    }

    private void compare(Run run, Projection projection) {
        ShadowTables.Differences differences =
                tables.compare(projection, run.keysOf(), () -> catchUp(run, projection), MOST_DIFFERENCES);
        template.batchUpdate(
                "insert into projection_difference (rebuild, tenant, id) values (?, ?, ?)",
                differences.first().stream()
                        .map(different -> new Object[] {run.id(), different.tenant(), different.id()})
                        .toList());
        jdbc.sql("update projection_rebuild set differences = ? where id = ?")
                .params(differences.count(), run.id())
                .update();
        LOG.info("rebuild {} of {}: {} records differ", run.id(), run.projection(), differences.count());
        if (run.dryRun()) {
            tables.drop(projection);
            finish(run);
        } else {
            next(run, Step.SWAP);
        }
    }

    private void swap(Run run, Projection projection) {
        tables.lock(projection);
        catchUp(run, projection);
        if (run.keysOf() == null) {
            tables.swap(projection);
        } else {
            tables.exchange(projection, run.id());
        }
        finish(run);
    }

    /** While nothing is projected. */
    private void catchUp(Run run, Projection projection) {
        try {
            long end = System.nanoTime() + CATCH_UP_NANOS;
            while (positions(run, projection).left() > 0 && advance(run, projection) > 0) {
                if (System.nanoTime() > end) {
                    throw new TimeoutException("the log cannot be read");
                }
            }
        } catch (RegistryUnavailableException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void finish(Run run) {
        jdbc.sql(
                        """
                        update projection_rebuild
                        set state = 'DONE', updated_at = clock_timestamp(), finished_at = clock_timestamp() where id = ?""")
                .param(run.id())
                .update();
        LOG.info("rebuild {} of {} is done", run.id(), run.projection());
    }

    private void next(Run run, Step step) {
        jdbc.sql("update projection_rebuild set step = ?, updated_at = clock_timestamp() where id = ?")
                .params(step.name(), run.id())
                .update();
    }

    private Positions positions(Run run, Projection projection) {
        List<Position> positions = jdbc.sql(
                        """
                        select p.topic, p.partition, r.first_offset, r.next_offset, p.next_offset as end_offset
                        from projection_position p
                        left join projection_rebuild_position r
                               on r.rebuild = ? and r.topic = p.topic and r.partition = p.partition
                        where p.projection = ?""")
                .params(run.id(), projection.name())
                .query(Position.class)
                .list();
        Positions read = new Positions(new HashMap<>(), new HashMap<>(), new HashMap<>());
        Set<TopicPartition> unknown = new HashSet<>();
        for (Position position : positions) {
            TopicPartition partition = new TopicPartition(position.topic(), position.partition());
            if (position.firstOffset() == null) {
                unknown.add(partition);
            } else {
                read.first().put(partition, position.firstOffset());
                read.next().put(partition, position.nextOffset());
            }
            read.end().put(partition, position.endOffset());
        }
        if (!unknown.isEmpty()) {
            Map<TopicPartition, Long> begun = begin(run, unknown);
            read.first().putAll(begun);
            read.next().putAll(begun);
        }
        return read;
    }

    /** Partitions that the rebuild has not read from yet. */
    private Map<TopicPartition, Long> begin(Run run, Set<TopicPartition> partitions) {
        Map<TopicPartition, Long> first = reader().beginnings(partitions);
        first.forEach((partition, offset) -> {
            if (offset > 0) {
                throw new ProblemException(
                        409,
                        "%s partition %d begins at offset %d: what came before is gone, and the view cannot be made of the rest"
                                .formatted(partition.topic(), partition.partition(), offset));
            }
        });
        template.batchUpdate(
                """
                insert into projection_rebuild_position (rebuild, topic, partition, first_offset, next_offset)
                values (?, ?, ?, ?, ?)""",
                first.entrySet().stream()
                        .map(entry -> new Object[] {
                            run.id(),
                            entry.getKey().topic(),
                            entry.getKey().partition(),
                            entry.getValue(),
                            entry.getValue()
                        })
                        .toList());
        return first;
    }

    /**
     * Notes what has been read.
     *
     * @return how many records there are behind it
     */
    private long note(Run run, Positions before, LogReader.Batch batch, int poison) {
        template.batchUpdate(
                "update projection_rebuild_position set next_offset = ? where rebuild = ? and topic = ? and partition = ?",
                batch.next().entrySet().stream()
                        .filter(entry -> !entry.getValue().equals(before.next().get(entry.getKey())))
                        .map(entry -> new Object[] {
                            entry.getValue(),
                            run.id(),
                            entry.getKey().topic(),
                            entry.getKey().partition()
                        })
                        .toList());
        long left = Positions.distance(batch.next(), before.end());
        // before everything is read, a range of time is looked for in everything
        long further = run.step() == Step.FIND ? Positions.distance(before.first(), before.end()) : 0;
        jdbc.sql(
                        """
                        update projection_rebuild
                        set events_done = events_done + :read, events_total = events_done + :read + :left,
                            poison_skipped = poison_skipped + :poison,
                            rate = (case when rate = 0 then 0 else 0.8 end) * rate + (case when rate = 0 then 1 else 0.2 end)
                                   * :read / greatest(0.001, extract(epoch from clock_timestamp() - updated_at)),
                            updated_at = clock_timestamp()
                        where id = :id""")
                .param("read", Positions.distance(before.next(), batch.next()))
                .param("left", left + further)
                .param("poison", poison)
                .param("id", run.id())
                .update();
        return left;
    }

    private Set<String> keys(Run run) {
        if (run.keysOf() == null) {
            return null;
        }
        if (!run.id().equals(keysOf)) {
            keys = new HashSet<>(jdbc.sql("select key from projection_rebuild_key where rebuild = ?")
                    .param(run.id())
                    .query(String.class)
                    .list());
            keysOf = run.id();
        }
        return keys;
    }

    private LogReader reader() {
        if (reader == null) {
            reader = new LogReader(
                    camel.getComponent("kafka", KafkaComponent.class).getConfiguration(), STEP);
        }
        return reader;
    }
}
