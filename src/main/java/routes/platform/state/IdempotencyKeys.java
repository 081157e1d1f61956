package routes.platform.state;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/**
 * The first answers to requests with an {@code Idempotency-Key}. A request that died before its answer was kept is done again: what it
 * publishes has ids that follow from client and key, so a repeat is the same event. A request that is refused leaves its key unused.
 */
@Component("idempotencyKeys")
public class IdempotencyKeys {

    /** Exchange property: the answer to give again. */
    private static final String FIRST_ANSWER = "firstAnswer";

    /** How long a stream keeps its key without a sign of life. */
    private static final Duration LEASE = Duration.ofSeconds(60);

    private final JdbcClient jdbc;

    public IdempotencyKeys(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A request that was made before; no answer when it has not come to its end, no fingerprint while it streams. */
    private record Kept(byte[] fingerprint, String answer) {}

    /**
     * Claims the request's key for its body, and sets the exchange property {@code firstAnswer} when it has been answered before.
     *
     * @throws ProblemException 409 when the key was used for another request
     */
    public void claim(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        if (request.idempotencyKey().isEmpty()) {
            return;
        }
        byte[] fingerprint = exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class);
        jdbc.sql(
                        """
                        insert into idempotency_key (tenant, client, key, fingerprint) values (?, ?, ?, ?)
                        on conflict do nothing""")
                .params(request.caller().tenant(), request.caller().principal(), key(request), fingerprint)
                .update();
        find(request).ifPresent(kept -> recall(exchange, kept, fingerprint));
    }

    /**
     * The same for a body that is streamed, whose fingerprint is known only at its end: until then the key is on lease. A key that has
     * an answer costs reading the stream once, and publishes nothing.
     *
     * @throws ProblemException 409 when the key was used for another request, or is on lease to one
     */
    public void claimStream(HttpRequest request, InputStream stream, Exchange exchange) throws IOException {
        if (request.idempotencyKey().isEmpty() || lease(request)) {
            return;
        }
        Optional<Kept> answered = find(request).filter(kept -> kept.answer() != null);
        if (answered.isEmpty()) {
            throw new ProblemException(409, "a request with this Idempotency-Key is being answered");
        }
        DigestInputStream digest = new DigestInputStream(stream, request.digest());
        digest.transferTo(OutputStream.nullOutputStream());
        recall(exchange, answered.get(), digest.getMessageDigest().digest());
    }

    private boolean lease(HttpRequest request) {
        return jdbc.sql(
                                """
                                insert into idempotency_key (tenant, client, key, leased_until)
                                values (:tenant, :client, :key, now() + make_interval(secs => :lease))
                                on conflict (tenant, client, key) do update set leased_until = excluded.leased_until
                                where idempotency_key.answer is null and idempotency_key.leased_until < now()""")
                        .param("tenant", request.caller().tenant())
                        .param("client", request.caller().principal())
                        .param("key", key(request))
                        .param("lease", LEASE.toSeconds())
                        .update()
                == 1;
    }

    /** A stream's sign of life. */
    public void renew(HttpRequest request) {
        if (request.idempotencyKey().isPresent()) {
            jdbc.sql(
                            """
                            update idempotency_key set leased_until = now() + make_interval(secs => ?)
                            where tenant = ? and client = ? and key = ? and answer is null""")
                    .params(
                            LEASE.toSeconds(),
                            request.caller().tenant(),
                            request.caller().principal(),
                            key(request))
                    .update();
        }
    }

    /** Gives the key of a stream back that came to no answer. */
    public void release(HttpRequest request) {
        if (request.idempotencyKey().isPresent()) {
            jdbc.sql(
                            """
                            delete from idempotency_key
                            where tenant = ? and client = ? and key = ? and answer is null and leased_until is not null""")
                    .params(request.caller().tenant(), request.caller().principal(), key(request))
                    .update();
        }
    }

    /** Keeps the body as the answer to the request's key. Of two requests at once the first answer stays, and both give it. */
    public void keep(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        if (request.idempotencyKey().isPresent()) {
            jdbc.sql(
                            """
                            insert into idempotency_key as kept (tenant, client, key, fingerprint, answer) values (?, ?, ?, ?, ?)
                            on conflict (tenant, client, key) do update
                            set answer = coalesce(kept.answer, excluded.answer), fingerprint = excluded.fingerprint
                            where coalesce(kept.fingerprint, excluded.fingerprint) = excluded.fingerprint
                            returning answer""")
                    .params(
                            request.caller().tenant(),
                            request.caller().principal(),
                            key(request),
                            exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class),
                            exchange.getMessage().getBody(String.class))
                    .query(String.class)
                    .optional()
                    .ifPresent(exchange.getMessage()::setBody);
        }
    }

    private Optional<Kept> find(HttpRequest request) {
        return jdbc.sql("select fingerprint, answer from idempotency_key where tenant = ? and client = ? and key = ?")
                .params(request.caller().tenant(), request.caller().principal(), key(request))
                .query((row, n) -> new Kept(row.getBytes("fingerprint"), row.getString("answer")))
                .optional();
    }

    private static String key(HttpRequest request) {
        return request.idempotencyKey().orElseThrow();
    }

    private static void recall(Exchange exchange, Kept kept, byte[] fingerprint) {
        if (!MessageDigest.isEqual(kept.fingerprint(), fingerprint)) {
            throw new ProblemException(409, "this Idempotency-Key was used for another request");
        }
        exchange.setProperty(FIRST_ANSWER, kept.answer());
    }
}
