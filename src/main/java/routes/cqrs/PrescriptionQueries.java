package routes.cqrs;

import com.fasterxml.jackson.annotation.JsonRawValue;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.TransactionException;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.Page;
import routes.platform.http.WaitingRequestLimiter;

/** Answers queries from the read model. {@code after} waits until it shows a command's effect. */
@Component("prescriptionQueries")
class PrescriptionQueries {

    private static final Logger LOG = LoggerFactory.getLogger(PrescriptionQueries.class);

    private static final Duration MAX_WAIT = Duration.ofSeconds(2);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(20);

    /** Query parameters and the columns that they filter. */
    private static final Map<String, String> FILTERS =
            Map.of("patientId", "patient_id", "prescriberId", "prescriber_id", "status", "status");

    private static final String SELECT_PAGE =
            """
            select prescription_id, created_at, octet_length(prescription) as bytes, prescription from prescription_view
            where tenant = :tenant%s
            order by created_at desc, prescription_id desc limit :rows""";

    private final JdbcClient jdbc;
    private final FailureClassifier failures;
    private final WaitingRequestLimiter waiting;

    PrescriptionQueries(JdbcClient jdbc, FailureClassifier failures, WaitingRequestLimiter waiting) {
        this.jdbc = jdbc;
        this.failures = failures;
        this.waiting = waiting;
    }

    /** @param prescription valid JSON, passed through as stored */
    record View(String prescriptionId, long createdAt, int bytes, @JsonValue @JsonRawValue String prescription) {

        private String cursor() {
            return createdAt + "." + prescriptionId;
        }
    }

    /**
     * Returns a prescription of the caller's tenant.
     *
     * @throws ProblemException 404 when the tenant has no such prescription; 503 when the view does not show the effect
     *     of {@code after} within two seconds; 500 when the database fails
     */
    public View show(@Header("id") String id, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        return retrieve(() -> {
            awaitCommandEffect(request);
            return jdbc.sql(
                            """
                            select prescription_id, created_at, 0 as bytes, prescription from prescription_view
                            where prescription_id = ? and tenant = ?""")
                    .params(id, request.caller().tenant())
                    .query(View.class)
                    .optional()
                    .orElseThrow(() -> new ProblemException(404, "no such prescription"));
        });
    }

    /**
     * Returns a page of the tenant's prescriptions, newest first.
     *
     * @throws ProblemException 503 and 500 as above
     */
    public List<View> list(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Page page = Page.of(exchange);
        String after = page.cursor();
        return retrieve(() -> {
            awaitCommandEffect(request);
            List<View> views = jdbc.sql(Page.sized(
                            SELECT_PAGE.formatted(conditions(request, after)), "created_at desc, prescription_id desc"))
                    .param("tenant", request.caller().tenant())
                    .param("patientId", request.text("patientId"))
                    .param("prescriberId", request.text("prescriberId"))
                    .param("status", request.text("status"))
                    .param("created", after == null ? null : Long.valueOf(after.substring(0, after.indexOf('.'))))
                    .param("id", after == null ? null : after.substring(after.indexOf('.') + 1))
                    .param("rows", page.rows())
                    .query(View.class)
                    .list();
            return page.cut(views, View::cursor, View::bytes, exchange);
        });
    }

    /** Adds only the filters in use, so that PostgreSQL plans each combination with its own index. */
    private static String conditions(HttpRequest request, String after) {
        StringBuilder conditions = new StringBuilder();
        FILTERS.forEach((parameter, column) -> {
            if (request.text(parameter) != null) {
                conditions.append(" and %s = :%s".formatted(column, parameter));
            }
        });
        return conditions
                .append(after == null ? "" : " and (created_at, prescription_id) < (:created, :id)")
                .toString();
    }

    private <T> T retrieve(Supplier<T> query) {
        try {
            return query.get();
        } catch (DataAccessException | TransactionException e) {
            LOG.warn("prescription query answered 500: {}", failures.describe(e));
            throw new ProblemException(500, "Failed to retrieve prescriptions");
        }
    }

    /** Waits until the view shows the effect of the command {@code after}; a rejected one has none. */
    private void awaitCommandEffect(HttpRequest request) {
        String after = request.text("after");
        if (after == null || showsEffect(request, after)) {
            return;
        }
        try (WaitingRequestLimiter.Permit permit = waiting.acquire(request.caller())) {
            for (long end = System.nanoTime() + MAX_WAIT.toNanos(); System.nanoTime() < end; ) {
                Thread.sleep(POLL_INTERVAL.toMillis());
                if (showsEffect(request, after)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new ProblemException(503, "the view does not show the effect of the command in after yet, try again");
    }

    private boolean showsEffect(HttpRequest request, String command) {
        return jdbc.sql(
                        """
                        select c.status = 'REJECTED' or c.status = 'APPLIED' and (c.version is null or v.version >= c.version)
                        from medication_command c
                             left join prescription_view v on v.prescription_id = c.prescription_id and v.tenant = c.tenant
                        where c.tenant = ? and c.command_id = ?""")
                .params(request.caller().tenant(), command)
                .query(Boolean.class)
                .optional()
                .orElse(false);
    }
}
