package routes.deadletter;

import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.Json;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/** Discards a dead letter: it stays in the table and is never sent again. */
@Component("deadLetterDiscarder")
class DeadLetterDiscarder {

    private final JdbcClient jdbc;

    DeadLetterDiscarder(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * @param body {@code {reason}}
     * @throws ProblemException 404 when the caller has no such dead letter, 409 when it is neither NEW nor PARKED
     */
    @Transactional
    public DeadLetterQueries.Entry discard(@Header("id") String id, @Body byte[] body, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        String reason = Json.readObject(body).path("reason").asText();
        int discarded = jdbc.sql(
                        """
                        update dead_letter
                        set status = 'DISCARDED', discarded_by = ?, discard_reason = ?, updated_at = now()
                        where tenant = ? and id = ? and status in ('NEW', 'PARKED')""")
                .params(request.caller().auditName(), reason, request.caller().tenant(), id)
                .update();
        DeadLetterQueries.Entry entry = jdbc.sql(
                        "select " + DeadLetterQueries.COLUMNS + " from dead_letter where tenant = ? and id = ?")
                .params(request.caller().tenant(), id)
                .query(DeadLetterQueries.Entry::of)
                .optional()
                .orElseThrow(DeadLetterQueries::noSuchDeadLetter);
        if (discarded == 0) {
            throw new ProblemException(
                    409, "the dead letter is " + entry.status() + ": only a NEW or PARKED one can be discarded");
        }
        return entry;
    }
}
