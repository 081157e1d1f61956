package routes.deadletter;

import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.avro.RegistryUnavailableException;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/** Decides whether one dead letter may be reprocessed, with its value or a new one, and sends it. */
@Component("deadLetterReprocessor")
class DeadLetterReprocessor {

    private final JdbcClient jdbc;
    private final ValueCodec values;
    private final EditPolicy edits;
    private final DeadLetterSender sender;

    DeadLetterReprocessor(JdbcClient jdbc, ValueCodec values, EditPolicy edits, DeadLetterSender sender) {
        this.jdbc = jdbc;
        this.values = values;
        this.edits = edits;
        this.sender = sender;
    }

    /** The answer to the request. */
    record Reprocessed(String id, DeadLetterFilter.Status status, int attempts) {}

    /**
     * Reprocesses one dead letter. A body is the whole new value of the record, in JSON; the key stays. Omitted parts
     * come from the exchange property {@link OriginalRecordFetcher#RECORD}.
     *
     * @throws ProblemException 404 when the caller has no such dead letter. 409 when it is not NEW, is PARKED without
     *     an edit, or its topic does not accept it. 400 when consumers cannot read the new value, or it names another
     *     principal. 403 when the caller may not write it
     * @throws RegistryUnavailableException when a schema is unknown here and the registry does not answer
     */
    @Transactional(rollbackFor = RegistryUnavailableException.class)
    public Reprocessed reprocess(@Header("id") String id, Exchange exchange) throws RegistryUnavailableException {
        HttpRequest request = HttpRequest.of(exchange);
        byte[] edited =
                request.mediaType().isEmpty() ? null : exchange.getMessage().getBody(byte[].class);
        StoredDeadLetter stored = lock(request.caller().tenant(), id);
        requireReprocessable(stored, edited != null);
        if (edited != null) {
            edited = values.encode(edited, stored.topic());
        }
        StoredDeadLetter outgoing = complete(edited == null ? stored : stored.withEdit(edited), exchange);
        if (edited != null) {
            edits.check(outgoing, valueBeforeEdit(stored, exchange), request.caller());
        }
        sender.rejection(outgoing).ifPresent(reason -> {
            throw new ProblemException(409, reason);
        });
        sender.send(
                List.of(outgoing),
                new DeadLetterSender.Requester(request.caller().auditName(), request.text("reason"), null),
                edited);
        return new Reprocessed(stored.id(), DeadLetterFilter.Status.REPROCESSED, stored.attempts());
    }

    private StoredDeadLetter lock(String tenant, String id) {
        return jdbc.sql("select " + StoredDeadLetter.COLUMNS
                        + " from dead_letter where tenant = ? and id = ? for update")
                .params(tenant, id)
                .query(StoredDeadLetter::of)
                .optional()
                .orElseThrow(DeadLetterQueries::noSuchDeadLetter);
    }

    private static void requireReprocessable(StoredDeadLetter stored, boolean edited) {
        boolean reprocessable = stored.status() == DeadLetterFilter.Status.NEW
                || stored.status() == DeadLetterFilter.Status.PARKED && edited;
        if (!reprocessable) {
            throw new ProblemException(
                    409,
                    switch (stored.status()) {
                        case PARKED ->
                            "the dead letter is PARKED, it failed " + stored.attempts()
                                    + " times: it can only be reprocessed with a new value";
                        case REPROCESSED ->
                            "the dead letter is REPROCESSED: it was sent again and has not failed since";
                        default -> "the dead letter is " + stored.status() + ": only a NEW one can be reprocessed";
                    });
        }
    }

    private static StoredDeadLetter complete(StoredDeadLetter deadLetter, Exchange exchange) {
        if (deadLetter.omitted() == null) {
            return deadLetter;
        }
        ConsumerRecord<byte[], byte[]> original = originalRecord(exchange);
        if (original == null) {
            throw new ProblemException(
                    409,
                    deadLetter.omitted().value()
                            ? "the dead letter is without its value, and its record is no longer in its topic"
                            : "the dead letter is without its headers, and its record is no longer in its topic");
        }
        return deadLetter.completedFrom(original);
    }

    /** The value of the dead letter, or of its original record; null when neither is known. */
    private static byte[] valueBeforeEdit(StoredDeadLetter stored, Exchange exchange) {
        ConsumerRecord<byte[], byte[]> original = originalRecord(exchange);
        return stored.omitted() == null || original == null
                ? stored.value()
                : stored.completedFrom(original).value();
    }

    @SuppressWarnings("unchecked")
    private static ConsumerRecord<byte[], byte[]> originalRecord(Exchange exchange) {
        return exchange.getProperty(OriginalRecordFetcher.RECORD, ConsumerRecord.class);
    }
}
