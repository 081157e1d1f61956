package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.util.Assert;
import routes.platform.Json;
import routes.platform.NameBasedUuid;
import routes.platform.database.LongStatements;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.step.StepRunner;
import routes.platform.step.StepWork;

/** Sends many letters again, at a rate. A job is a row with a list of letters; each of its steps sends the next letters and moves on. */
@Component("reprocessJobs")
class ReprocessJobs implements StepWork<ReprocessJobs.Due> {

    /** Letters of a step, and their bytes: what it holds in memory, and how long a cancellation waits. */
    private static final int STEP = 100;

    private static final int STEP_BYTES = 4 << 20;

    /** At a low rate a step is the tenth part of a second. */
    private static final int STEPS_PER_SECOND = 10;

    private final JdbcClient jdbc;
    private final StepRunner steps;
    private final DeadLetterReprocessor reprocessing;
    private final ObjectMapper mapper;
    private final LongStatements longStatements;
    private final int defaultRate;

    ReprocessJobs(
            JdbcClient jdbc,
            StepRunner steps,
            DeadLetterReprocessor reprocessing,
            ObjectMapper mapper,
            LongStatements longStatements,
            @Value("${event-broker.deadletter.rate}") int defaultRate) {
        this.jdbc = jdbc;
        this.steps = steps;
        this.reprocessing = reprocessing;
        this.mapper = mapper;
        this.longStatements = longStatements;
        Assert.isTrue(
                defaultRate >= 1 && defaultRate <= ReprocessRequest.MAX_RATE,
                "event-broker.deadletter.rate is not from 1 to " + ReprocessRequest.MAX_RATE);
        this.defaultRate = defaultRate;
    }

    enum State {
        RUNNING,
        DONE,
        CANCELLED,
        FAILED
    }

    record Count(int count) {}

    record Started(UUID jobId) {}

    /**
     * A job as a caller sees it.
     *
     * @param done letters that were sent
     * @param skipped letters that had been changed since the job began, or that their topic would not take
     * @param rate letters per second
     * @param failure why it FAILED, else null
     * @param cancelledBy who CANCELLED it, else null
     * @param cancelReason why, when it was said
     * @param createdAt epoch milliseconds
     * @param updatedAt epoch milliseconds
     */
    record Job(
            UUID jobId,
            State state,
            int total,
            int done,
            int skipped,
            int rate,
            @JsonRawValue String filter,
            String reason,
            String failure,
            String createdBy,
            String cancelledBy,
            String cancelReason,
            long createdAt,
            long updatedAt) {}

    /** A job whose step is to be taken. */
    record Due(
            UUID id,
            String tenant,
            int rate,
            String reason,
            String createdBy,
            long position,
            int failures,
            int unknownFailures)
            implements StepWork.Row {}

    private record Listed(long letter, int attempts, long bytes) {}

    /** Whether the request only asks how many letters it would send. */
    public boolean isDryRun(Exchange exchange) {
        return HttpRequest.of(exchange).isTrue("dryRun");
    }

    /** How many letters a job with this body would send, if it began now. */
    public Count count(@Body byte[] body, Exchange exchange) {
        return new Count(order(body)
                .filter()
                .bind(
                        jdbc.sql("select count(*) from dead_letter where status = 'NEW' and "
                                + DeadLetterFilter.CONDITION),
                        HttpRequest.of(exchange).caller().tenant())
                .query(Integer.class)
                .single());
    }

    /**
     * Begins a job with the letters that are NEW now. With an {@code Idempotency-Key} the job's id follows from it, so that a request
     * which died before its answer was kept begins no second one.
     */
    @Transactional
    public Started start(@Body byte[] body, Exchange exchange) throws JsonProcessingException {
        HttpRequest request = HttpRequest.of(exchange);
        String tenant = request.caller().tenant();
        String principal = request.caller().principal();
        ReprocessRequest order = order(body);
        UUID id = request.idempotencyKey()
                .map(key -> NameBasedUuid.of(tenant, principal, key, "reprocess"))
                .orElseGet(UUID::randomUUID);
        int began = jdbc.sql(
                        """
                        insert into reprocess_job (id, tenant, state, filter, rate, reason, total, created_by)
                        values (?, ?, 'RUNNING', ?::json, ?, ?, 0, ?) on conflict (id) do nothing""")
                .params(
                        id,
                        tenant,
                        mapper.writeValueAsString(order.filter()),
                        order.rate(),
                        order.reason(),
                        request.caller().signature())
                .update();
        if (began == 1) {
            longStatements.allow();
            int total = order.filter()
                    .bind(
                            jdbc.sql(
                                            """
                                    insert into reprocess_job_letter (tenant, job, letter, attempts)
                                    select tenant, :job, seq, attempts from dead_letter
                                    where status = 'NEW' and """
                                                    + DeadLetterFilter.CONDITION)
                                    .param("job", id),
                            tenant)
                    .update();
            jdbc.sql(
                            """
                            update reprocess_job set total = ?, state = case when ? = 0 then 'DONE' else state end
                            where id = ? and state = 'RUNNING'""")
                    .params(total, total, id)
                    .update();
        }
        return new Started(id);
    }

    /** @throws ProblemException 404 when the caller has no such job */
    public Job show(@Header("id") String id, Exchange exchange) {
        return jdbc.sql(
                        """
                        select id as job_id, state, total, done, skipped, rate, filter, reason, failure, created_by,
                               cancelled_by, cancel_reason,
                               (extract(epoch from created_at) * 1000)::bigint as created_at,
                               (extract(epoch from updated_at) * 1000)::bigint as updated_at
                        from reprocess_job where tenant = ? and id = ?""")
                .params(HttpRequest.of(exchange).caller().tenant(), UUID.fromString(id))
                .query(Job.class)
                .optional()
                .orElseThrow(ReprocessJobs::noSuchJob);
    }

    /** @throws ProblemException 404 when the caller has no such job, 409 when it has ended */
    @Transactional
    public Job cancel(@Header("id") String id, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        int cancelled = jdbc.sql(
                        """
                        update reprocess_job
                        set state = 'CANCELLED', cancelled_by = ?, cancel_reason = ?, updated_at = now()
                        where tenant = ? and id = ? and state = 'RUNNING'""")
                .params(
                        request.caller().signature(),
                        request.text("reason"),
                        request.caller().tenant(),
                        UUID.fromString(id))
                .update();
        Job job = show(id, exchange);
        if (cancelled == 0) {
            throw new ProblemException(409, "the job is " + job.state() + ": only a RUNNING one can be cancelled");
        }
        return job;
    }

    /** Takes the steps that are due, of all jobs, for at most about a second. */
    public void sendDue() {
        steps.turn(this);
    }

    @Override
    public String name() {
        return "job";
    }

    @Override
    public String table() {
        return "reprocess_job";
    }

    @Override
    public Optional<Due> lockDue() {
        return jdbc.sql(
                        "select id, tenant, rate, reason, created_by, position, failures, unknown_failures from reprocess_job where "
                                + StepRunner.DUE + " order by next_at " + StepRunner.LOCK_ONE)
                .query(Due.class)
                .optional();
    }

    @Override
    public void step(Due job) {
        List<Listed> next = next(job);
        List<DeadLetterReprocessor.Sendable> letters = lock(next).stream()
                .filter(letter -> reprocessing.unsendable(letter).isEmpty())
                .toList();
        if (!letters.isEmpty()) {
            reprocessing.send(letters, new DeadLetterReprocessor.Sender(job.createdBy(), job.reason(), job.id()), null);
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
                .param("done", letters.size())
                .param("skipped", next.size() - letters.size())
                .param(
                        "position",
                        next.isEmpty()
                                ? job.position()
                                : next.get(next.size() - 1).letter())
                .param("seconds", next.size() / (double) job.rate())
                .param("job", job.id())
                .update();
    }

    /** The letters of this step, in the order in which they were first stored. */
    private List<Listed> next(Due job) {
        List<Listed> listed = jdbc.sql(
                        """
                        select j.letter, j.attempts, coalesce(octet_length(l.value), 0) as bytes
                        from reprocess_job_letter j left join dead_letter l on l.seq = j.letter
                        where j.job = ? and j.letter > ? order by j.letter limit ?""")
                .params(job.id(), job.position(), Math.max(1, Math.min(STEP, job.rate() / STEPS_PER_SECOND)))
                .query(Listed.class)
                .list();
        int letters = 0;
        for (long bytes = 0; letters < listed.size() && bytes < STEP_BYTES; letters++) {
            bytes += listed.get(letters).bytes();
        }
        return listed.subList(0, letters);
    }

    /** Those that are as they were when the job began, locked until the transaction ends. */
    private List<DeadLetterReprocessor.Sendable> lock(List<Listed> listed) {
        if (listed.isEmpty()) {
            return List.of();
        }
        Map<Long, Integer> attempts = listed.stream().collect(Collectors.toMap(Listed::letter, Listed::attempts));
        List<DeadLetterReprocessor.Sendable> letters = new ArrayList<>(jdbc.sql(
                        "select " + DeadLetterReprocessor.Sendable.COLUMNS
                                + " from dead_letter where seq in (:letters) and status = 'NEW' order by seq for update")
                .param("letters", List.copyOf(attempts.keySet()))
                .query(DeadLetterReprocessor.Sendable::of)
                .list());
        letters.removeIf(letter -> letter.attempts() != attempts.get(letter.seq()));
        return letters;
    }

    private ReprocessRequest order(byte[] body) {
        return ReprocessRequest.of(Json.readObject(body), defaultRate);
    }

    private static ProblemException noSuchJob() {
        return new ProblemException(404, "no such job");
    }
}
