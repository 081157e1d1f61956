package routes.platform.state;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.RequestBody;

/**
 * The first answers to requests with an {@code Idempotency-Key}. A request that died before its answer was kept is done again: what it
 * publishes has ids that follow from client and key, so a repeat is the same event.
 */
@Component("idempotencyKeys")
public class IdempotencyKeys {

    /** Exchange property: digest of the request and its body. */
    public static final String FINGERPRINT = "fingerprint";

    /** Exchange property: the answer to give again. */
    private static final String FIRST_ANSWER = "firstAnswer";

    private final JdbcClient jdbc;

    IdempotencyKeys(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A request that was made before; no answer when it has not come to its end. */
    record Kept(byte[] fingerprint, String answer) {}

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
        byte[] fingerprint = digest(request).digest(exchange.getMessage().getBody(byte[].class));
        jdbc.sql(
                        """
                        insert into idempotency_key (tenant, client, key, fingerprint) values (?, ?, ?, ?)
                        on conflict do nothing""")
                .params(request.caller().tenant(), request.caller().principal(), key(request), fingerprint)
                .update();
        exchange.setProperty(FINGERPRINT, fingerprint);
        find(request).ifPresent(kept -> recall(exchange, kept, fingerprint));
    }

    /**
     * The same for a body that is streamed. Its fingerprint is known only at its end, so a key that has no answer yet is claimed
     * by {@link #keep}; a key that has one costs reading the stream once, and publishes nothing.
     *
     * @throws ProblemException 409 when the key was used for another request
     */
    public void claimStream(Exchange exchange) throws IOException {
        HttpRequest request = HttpRequest.of(exchange);
        Optional<Kept> answered =
                request.idempotencyKey().flatMap(key -> find(request)).filter(kept -> kept.answer() != null);
        if (answered.isPresent()) {
            DigestInputStream stream = new DigestInputStream(RequestBody.of(exchange).stream(), digest(request));
            stream.transferTo(OutputStream.nullOutputStream());
            recall(exchange, answered.get(), stream.getMessageDigest().digest());
        }
    }

    /** Keeps the body as the answer to the request's key. Of two requests at once the first answer stays, and both give it. */
    public void keep(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        if (request.idempotencyKey().isPresent()) {
            jdbc.sql(
                            """
                            insert into idempotency_key (tenant, client, key, fingerprint, answer) values (?, ?, ?, ?, ?)
                            on conflict (tenant, client, key) do update
                            set answer = coalesce(idempotency_key.answer, excluded.answer)
                            where idempotency_key.fingerprint = excluded.fingerprint
                            returning answer""")
                    .params(
                            request.caller().tenant(),
                            request.caller().principal(),
                            key(request),
                            exchange.getProperty(FINGERPRINT, byte[].class),
                            exchange.getMessage().getBody(String.class))
                    .query(String.class)
                    .optional()
                    .ifPresent(exchange.getMessage()::setBody);
        }
    }

    /** Takes in what is asked for, and waits for the body. */
    public static MessageDigest digest(HttpRequest request) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((request.method() + ' ' + request.path() + '\n').getBytes(StandardCharsets.UTF_8));
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
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
