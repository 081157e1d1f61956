package routes.deadletter;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.UUID;
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

/**
 * Starts, counts, shows and cancels the jobs that reprocess many dead letters. {@link ReprocessJobWorker} runs them.
 */
@Component("reprocessJobService")
class ReprocessJobService {

    private final JdbcClient jdbc;
    private final ObjectMapper mapper;
    private final LongStatements longStatements;
    private final int defaultRate;

    ReprocessJobService(
            JdbcClient jdbc,
            ObjectMapper mapper,
            LongStatements longStatements,
            @Value("${event-broker.deadletter.rate}") int defaultRate) {
        this.jdbc = jdbc;
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
     * A job in an HTTP answer.
     *
     * @param done dead letters that the job has sent
     * @param skipped dead letters that changed after the start, or that their topic does not take
     * @param rate dead letters per second
     * @param failure the reason of FAILED, else null
     * @param cancelledBy the principal who cancelled the job, else null
     * @param cancelReason null when the principal gave none
     * @param createdAt epoch milliseconds
     * @param updatedAt epoch milliseconds
     */
    record JobStatus(
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

    /** Whether the request only counts the dead letters that it would send. */
    public boolean isDryRun(Exchange exchange) {
        return HttpRequest.of(exchange).isTrue("dryRun");
    }

    /** Counts the dead letters that a job with this body would send if it started now. */
    public Count count(@Body byte[] body, Exchange exchange) {
        return new Count(parse(body)
                .filter()
                .bind(
                        jdbc.sql("select count(*) from dead_letter where status = 'NEW' and "
                                + DeadLetterFilter.CONDITION),
                        HttpRequest.of(exchange).caller().tenant())
                .query(Integer.class)
                .single());
    }

    /**
     * Starts a job with all dead letters that match the body and are NEW now. The job's id derives from the
     * {@code Idempotency-Key}, so a repeated request starts no second job.
     */
    @Transactional
    public Started start(@Body byte[] body, Exchange exchange) throws JsonProcessingException {
        HttpRequest request = HttpRequest.of(exchange);
        String tenant = request.caller().tenant();
        String principal = request.caller().principal();
        ReprocessRequest reprocess = parse(body);
        UUID id = request.idempotencyKey()
                .map(key -> NameBasedUuid.of(tenant, principal, key, "reprocess"))
                .orElseGet(UUID::randomUUID);
        int inserted = jdbc.sql(
                        """
                        insert into reprocess_job (id, tenant, state, filter, rate, reason, total, created_by)
                        values (?, ?, 'RUNNING', ?::json, ?, ?, 0, ?) on conflict (id) do nothing""")
                .params(
                        id,
                        tenant,
                        mapper.writeValueAsString(reprocess.filter()),
                        reprocess.rate(),
                        reprocess.reason(),
                        request.caller().auditName())
                .update();
        if (inserted == 1) {
            longStatements.allow();
            int total = reprocess
                    .filter()
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
    public JobStatus show(@Header("id") String id, Exchange exchange) {
        return jdbc.sql(
                        """
                        select id as job_id, state, total, done, skipped, rate, filter, reason, failure, created_by,
                               cancelled_by, cancel_reason,
                               (extract(epoch from created_at) * 1000)::bigint as created_at,
                               (extract(epoch from updated_at) * 1000)::bigint as updated_at
                        from reprocess_job where tenant = ? and id = ?""")
                .params(HttpRequest.of(exchange).caller().tenant(), UUID.fromString(id))
                .query(JobStatus.class)
                .optional()
                .orElseThrow(ReprocessJobService::noSuchJob);
    }

    /** @throws ProblemException 404 when the caller has no such job, 409 when the job has ended */
    @Transactional
    public JobStatus cancel(@Header("id") String id, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        int cancelled = jdbc.sql(
                        """
                        update reprocess_job
                        set state = 'CANCELLED', cancelled_by = ?, cancel_reason = ?, updated_at = now()
                        where tenant = ? and id = ? and state = 'RUNNING'""")
                .params(
                        request.caller().auditName(),
                        request.text("reason"),
                        request.caller().tenant(),
                        UUID.fromString(id))
                .update();
        JobStatus job = show(id, exchange);
        if (cancelled == 0) {
            throw new ProblemException(409, "the job is " + job.state() + ": only a RUNNING one can be cancelled");
        }
        return job;
    }

    private ReprocessRequest parse(byte[] body) {
        return ReprocessRequest.of(Json.readObject(body), defaultRate);
    }

    private static ProblemException noSuchJob() {
        return new ProblemException(404, "no such job");
    }
}
