package routes.platform.state;

import java.security.MessageDigest;
import java.sql.Types;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/**
 * The table of {@code Idempotency-Key}s. One request at a time holds a key by a lease. Only that owner renews or
 * releases the lease, or stores an answer. When the owner dies, the lease ends, and the next request does the work
 * again.
 */
@Component
public class IdempotencyKeys {

    /** Longer than a request takes to publish one event, or to fail. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    /** Longer than the longest pause of a stream, and a batch. */
    private static final Duration LEASE_OF_STREAM = Duration.ofSeconds(60);

    private static final String TAKE_LEASE =
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

    IdempotencyKeys(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A key that a request holds, or has held.
     *
     * @param fingerprint of the request; null while it streams
     * @param answer null when there is none yet
     */
    record Kept(byte[] fingerprint, String answer) {

        /** The fingerprint of a stream, null until its end, can be compared only when the key has an answer. */
        boolean isOfAnotherRequest(byte[] fingerprint) {
            if (fingerprint == null) {
                return this.fingerprint != null && answer == null;
            }
            return this.fingerprint != null && !MessageDigest.isEqual(this.fingerprint, fingerprint);
        }
    }

    /**
     * Takes the lease of the request's key.
     *
     * @param fingerprint null for a stream
     * @return whether the request holds the key now
     */
    boolean lease(HttpRequest request, byte[] fingerprint) {
        return of(request, TAKE_LEASE)
                        .param("fingerprint", fingerprint, Types.BINARY)
                        .param("lease", (fingerprint == null ? LEASE_OF_STREAM : LEASE).toSeconds())
                        .update()
                == 1;
    }

    Optional<Kept> find(HttpRequest request) {
        return of(
                        request,
                        "select fingerprint, answer from idempotency_key where tenant = :tenant and client = :client and key = :key")
                .query((row, n) -> new Kept(row.getBytes("fingerprint"), row.getString("answer")))
                .optional();
    }

    /**
     * Renews the lease of a stream that is still read.
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
            throw new ProblemException(409, "another request holds this Idempotency-Key");
        }
    }

    /** The interval at which a stream has to {@link #renew} its lease. */
    public static Duration renewal() {
        return LEASE_OF_STREAM.dividedBy(3);
    }

    /** @return whether the answer is stored; false when the request has lost its key */
    boolean keep(HttpRequest request, byte[] fingerprint, String answer) {
        return of(
                                request,
                                "update idempotency_key set answer = :answer, fingerprint = :fingerprint, owner = null, leased_until = null"
                                        + OF_OWNER)
                        .param("fingerprint", fingerprint)
                        .param("answer", answer)
                        .update()
                == 1;
    }

    /**
     * Releases the key of a request without an answer.
     *
     * @param refused the request has done nothing, so that its key is free for any request; else only for the same one
     */
    void release(HttpRequest request, boolean refused) {
        String unused = refused ? "" : " and fingerprint is null";
        if (of(request, "delete from idempotency_key" + OF_OWNER + unused).update() == 0) {
            of(request, "update idempotency_key set owner = null, leased_until = null" + OF_OWNER)
                    .update();
        }
    }

    /** The owner is the request's id, which no other request has. */
    private JdbcClient.StatementSpec of(HttpRequest request, String sql) {
        return jdbc.sql(sql)
                .param("tenant", request.caller().tenant())
                .param("client", request.caller().principal())
                .param("key", request.idempotencyKey().orElseThrow())
                .param("owner", UUID.fromString(request.requestId()));
    }
}
