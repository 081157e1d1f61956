package routes.platform.state;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.WaitingRequestLimiter;

/**
 * The first answers to requests with an {@code Idempotency-Key}. One request at a time has a key, on a lease of which it is the owner: only
 * the owner renews it, gives it back, or keeps an answer. A request that died loses it when the lease is over, and the next one does its
 * work again: what it publishes has ids that follow from client and key, so a repeat is the same event.
 */
@Component("idempotencyKeys")
public class IdempotencyKeys {

    /** Exchange property: the answer to give again. */
    private static final String FIRST_ANSWER = "firstAnswer";

    /** Exchange property: the request has its key, and has not answered. */
    private static final String IS_OWNER = "isOwnerOfKey";

    /** How long a request keeps its key: longer than it takes to publish one event, or to fail. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    /** How long a stream does without a sign of life: longer than its longest pause, and a batch. */
    private static final Duration LEASE_OF_STREAM = Duration.ofSeconds(60);

    /** For how long another request with the key waits for the first answer. */
    private static final Duration WAIT = Duration.ofSeconds(2);

    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final String OTHER_REQUEST = "this Idempotency-Key was used for another request";

    private static final String LEASE_IT =
            """
            insert into idempotency_key as kept (tenant, client, key, fingerprint, owner, leased_until)
            values (:tenant, :client, :key, :fingerprint, :owner, clock_timestamp() + make_interval(secs => :lease))
            on conflict (tenant, client, key) do update
            set fingerprint = excluded.fingerprint, owner = excluded.owner, leased_until = excluded.leased_until,
                created_at = clock_timestamp()
            where kept.answer is null and (kept.leased_until is null or kept.leased_until < clock_timestamp())
              and (kept.fingerprint is null or kept.fingerprint = excluded.fingerprint)""";

    private static final String OF_OWNER =
            " where tenant = :tenant and client = :client and key = :key and owner = :owner and answer is null";

    private final JdbcClient jdbc;
    private final WaitingRequestLimiter waiting;

    public IdempotencyKeys(JdbcClient jdbc, WaitingRequestLimiter waiting) {
        this.jdbc = jdbc;
        this.waiting = waiting;
    }

    /**
     * What is known of a key.
     *
     * @param fingerprint of the request; null while it streams
     * @param answer null when there is none yet
     */
    private record Kept(byte[] fingerprint, String answer) {}

    /**
     * Claims the request's key for its body, or sets the exchange property {@code firstAnswer} when it has been answered. Waits a moment
     * for the answer of a request that has the key.
     *
     * @throws ProblemException 409 when the key was used for another request, or another request has it for longer
     */
    public void claim(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        if (request.idempotencyKey().isPresent()) {
            byte[] fingerprint = exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class);
            claim(request, fingerprint, exchange)
                    .ifPresent(first -> exchange.setProperty(FIRST_ANSWER, first.answer()));
        }
    }

    /**
     * The same for a body that is streamed, whose fingerprint is known only at its end. A key that has an answer costs reading the stream
     * once, and publishes nothing.
     */
    public void claimStream(HttpRequest request, InputStream stream, Exchange exchange) throws IOException {
        if (request.idempotencyKey().isEmpty()) {
            return;
        }
        Optional<Kept> first = claim(request, null, exchange);
        if (first.isPresent()) {
            DigestInputStream digest = new DigestInputStream(stream, request.digest());
            digest.transferTo(OutputStream.nullOutputStream());
            if (!MessageDigest.isEqual(
                    first.get().fingerprint(), digest.getMessageDigest().digest())) {
                throw new ProblemException(409, OTHER_REQUEST);
            }
            exchange.setProperty(FIRST_ANSWER, first.get().answer());
        }
    }

    /** @return what was answered before; nothing when the request has its key now */
    private Optional<Kept> claim(HttpRequest request, byte[] fingerprint, Exchange exchange) {
        if (!lease(request, fingerprint)) {
            Optional<Kept> first = answered(request, fingerprint).or(() -> awaitAnswer(request, fingerprint));
            if (first.isPresent()) {
                return first;
            }
        }
        exchange.setProperty(IS_OWNER, true);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                if (done.removeProperty(IS_OWNER) != null) {
                    release(request, done);
                }
            }
        });
        return Optional.empty();
    }

    /** @return the answer of another request with the key; nothing when this one has its key now */
    private Optional<Kept> awaitAnswer(HttpRequest request, byte[] fingerprint) {
        // a stream has one
        try (WaitingRequestLimiter.Permit permit = fingerprint == null ? () -> {} : waiting.acquire(request.caller())) {
            for (long end = System.nanoTime() + WAIT.toNanos(); System.nanoTime() < end; pause()) {
                if (lease(request, fingerprint)) {
                    return Optional.empty();
                }
                Optional<Kept> first = answered(request, fingerprint);
                if (first.isPresent()) {
                    return first;
                }
            }
        }
        throw ProblemException.temporary(409, "a request with this Idempotency-Key is being answered, try again");
    }

    private Optional<Kept> answered(HttpRequest request, byte[] fingerprint) {
        // nothing when it was given back in this moment
        Optional<Kept> kept = find(request);
        if (kept.isPresent() && isOther(kept.get(), fingerprint)) {
            throw new ProblemException(409, OTHER_REQUEST);
        }
        return kept.filter(known -> known.answer() != null);
    }

    /** The fingerprint of a stream is known, and can be compared, only when it has an answer. */
    private static boolean isOther(Kept kept, byte[] fingerprint) {
        if (fingerprint == null) {
            return kept.fingerprint() != null && kept.answer() == null;
        }
        return kept.fingerprint() != null && !MessageDigest.isEqual(kept.fingerprint(), fingerprint);
    }

    private boolean lease(HttpRequest request, byte[] fingerprint) {
        return of(request, LEASE_IT)
                        .param("fingerprint", fingerprint, java.sql.Types.BINARY)
                        .param("lease", (fingerprint == null ? LEASE_OF_STREAM : LEASE).toSeconds())
                        .update()
                == 1;
    }

    /**
     * A stream's sign of life.
     *
     * @throws ProblemException 409 when another request has its key now
     */
    public void renew(HttpRequest request) {
        if (request.idempotencyKey().isPresent()
                && of(
                                        request,
                                        "update idempotency_key set leased_until = clock_timestamp() + make_interval(secs => :lease)"
                                                + OF_OWNER)
                                .param("lease", LEASE_OF_STREAM.toSeconds())
                                .update()
                        == 0) {
            throw new ProblemException(409, "another request has this Idempotency-Key now");
        }
    }

    /** How long a stream may go on until it has to {@link #renew}. */
    public static Duration renewal() {
        return LEASE_OF_STREAM.dividedBy(3);
    }

    /**
     * Gives the key of a request back that came to no answer. One that was refused has done nothing, and leaves its key unused; of one
     * that failed nobody knows what it has done, so the key is for the same request only.
     */
    private void release(HttpRequest request, Exchange done) {
        int status = done.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 500, Integer.class);
        String unused = status < 500 ? "" : " and fingerprint is null";
        if (of(request, "delete from idempotency_key" + OF_OWNER + unused).update() == 0) {
            of(request, "update idempotency_key set owner = null, leased_until = null" + OF_OWNER)
                    .update();
        }
    }

    /** Keeps the body as the answer to the request's key. One that has lost its key gives the answer of the request that took it. */
    public void keep(Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        if (request.idempotencyKey().isEmpty()) {
            return;
        }
        byte[] fingerprint = exchange.getProperty(HttpRequest.FINGERPRINT, byte[].class);
        int kept = of(
                        request,
                        "update idempotency_key set answer = :answer, fingerprint = :fingerprint, owner = null, leased_until = null"
                                + OF_OWNER)
                .param("fingerprint", fingerprint)
                .param("answer", exchange.getMessage().getBody(String.class))
                .update();
        exchange.removeProperty(IS_OWNER);
        if (kept == 0) {
            find(request)
                    .filter(other -> other.answer() != null && MessageDigest.isEqual(other.fingerprint(), fingerprint))
                    .ifPresent(other -> exchange.getMessage().setBody(other.answer()));
        }
    }

    private Optional<Kept> find(HttpRequest request) {
        return of(
                        request,
                        "select fingerprint, answer from idempotency_key where tenant = :tenant and client = :client and key = :key")
                .query((row, n) -> new Kept(row.getBytes("fingerprint"), row.getString("answer")))
                .optional();
    }

    /** A request has an id that no other has. */
    private JdbcClient.StatementSpec of(HttpRequest request, String sql) {
        return jdbc.sql(sql)
                .param("tenant", request.caller().tenant())
                .param("client", request.caller().principal())
                .param("key", request.idempotencyKey().orElseThrow())
                .param("owner", UUID.fromString(request.requestId()));
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ProblemException.temporary(409, "a request with this Idempotency-Key is being answered, try again");
        }
    }
}
