package routes.deadletter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.step.JobHandler;
import routes.platform.step.StepRunner;

/** Runs reprocess jobs: each step sends the next dead letters of a job, at the job's rate. */
@Component("reprocessJobWorker")
class ReprocessJobWorker implements JobHandler<ReprocessJobWorker.ReprocessJob> {

    /** Limits of one step: its memory, and the time that a cancellation waits. */
    private static final int MAX_DEAD_LETTERS = 100;

    private static final int MAX_BYTES = 4 << 20;
    private static final int STEPS_PER_SECOND = 10;

    private final JdbcClient jdbc;
    private final StepRunner runner;
    private final DeadLetterSender sender;

    ReprocessJobWorker(JdbcClient jdbc, StepRunner runner, DeadLetterSender sender) {
        this.jdbc = jdbc;
        this.runner = runner;
        this.sender = sender;
    }

    /** @param position the sequence number of the last dead letter that the job has handled */
    record ReprocessJob(
            UUID id,
            String tenant,
            int rate,
            String reason,
            String createdBy,
            long position,
            int failures,
            int unknownFailures)
            implements JobHandler.Job {}

    /** A line of the job's list; attempts and bytes tell whether to send the dead letter, and in which step. */
    private record ListedDeadLetter(long letter, int attempts, long bytes) {}

    /** Runs the due steps of all jobs, for about a second at most. */
    public void runDueSteps() {
        runner.runDueSteps(this);
    }

    @Override
    public String jobName() {
        return "job";
    }

    @Override
    public String table() {
        return "reprocess_job";
    }

    @Override
    public Optional<ReprocessJob> lockNextDue() {
        return jdbc.sql(
                        "select id, tenant, rate, reason, created_by, position, failures, unknown_failures from reprocess_job where "
                                + StepRunner.DUE + " order by next_at " + StepRunner.LOCK_ONE)
                .query(ReprocessJob.class)
                .optional();
    }

    @Override
    public void runStep(ReprocessJob job) {
        List<ListedDeadLetter> next = listNext(job);
        List<StoredDeadLetter> sendable = lockUnchanged(next).stream()
                .filter(deadLetter -> sender.rejection(deadLetter).isEmpty())
                .toList();
        if (!sendable.isEmpty()) {
            sender.send(sendable, new DeadLetterSender.Requester(job.createdBy(), job.reason(), job.id()), null);
        }
        jdbc.sql(
                        """
                        update reprocess_job
                        set done = done + :done, skipped = skipped + :skipped, position = :position, updated_at = now(),
                            next_at = greatest(next_at, clock_timestamp() - interval '1 second')
                                      + make_interval(secs => :seconds),
                            state = case when exists (select 1 from reprocess_job_letter
                                                      where job = :job and letter > :position)
                                         then 'RUNNING' else 'DONE' end
                        where id = :job and state = 'RUNNING'""")
                .param("done", sendable.size())
                .param("skipped", next.size() - sendable.size())
                .param(
                        "position",
                        next.isEmpty()
                                ? job.position()
                                : next.get(next.size() - 1).letter())
                .param("seconds", next.size() / (double) job.rate())
                .param("job", job.id())
                .update();
    }

    /** The dead letters of this step, in the order in which the store first recorded them. */
    private List<ListedDeadLetter> listNext(ReprocessJob job) {
        List<ListedDeadLetter> listed = jdbc.sql(
                        """
                        select j.letter, j.attempts, coalesce(octet_length(l.value), 0) as bytes
                        from reprocess_job_letter j left join dead_letter l on l.seq = j.letter
                        where j.job = ? and j.letter > ? order by j.letter limit ?""")
                .params(
                        job.id(),
                        job.position(),
                        Math.max(1, Math.min(MAX_DEAD_LETTERS, job.rate() / STEPS_PER_SECOND)))
                .query(ListedDeadLetter.class)
                .list();
        int count = 0;
        for (long bytes = 0; count < listed.size() && bytes < MAX_BYTES; count++) {
            bytes += listed.get(count).bytes();
        }
        return listed.subList(0, count);
    }

    /** Locks the dead letters that nobody has changed since the job started. */
    private List<StoredDeadLetter> lockUnchanged(List<ListedDeadLetter> listed) {
        if (listed.isEmpty()) {
            return List.of();
        }
        Map<Long, Integer> attempts =
                listed.stream().collect(Collectors.toMap(ListedDeadLetter::letter, ListedDeadLetter::attempts));
        List<StoredDeadLetter> locked = new ArrayList<>(jdbc.sql("select " + StoredDeadLetter.COLUMNS
                        + " from dead_letter where seq in (:letters) and status = 'NEW' order by seq for update")
                .param("letters", List.copyOf(attempts.keySet()))
                .query(StoredDeadLetter::of)
                .list());
        locked.removeIf(deadLetter -> deadLetter.attempts() != attempts.get(deadLetter.seq()));
        return locked;
    }
}
