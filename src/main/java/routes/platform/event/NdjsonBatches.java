package routes.platform.event;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.springframework.stereotype.Component;
import routes.platform.NameBasedUuid;
import routes.platform.contract.Channel;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpLimits;
import routes.platform.http.HttpRequest;
import routes.platform.http.ProblemResponses;
import routes.platform.http.RequestBody;
import routes.platform.http.StreamedBody;
import routes.platform.state.IdempotencyKeys;

/**
 * Reads the events that a caller streams, one per line, in batches. Only one batch is in memory at a time, whatever the
 * length of the stream or of a line.
 *
 * @see <a href="https://github.com/ndjson/ndjson-spec">NDJSON</a>
 */
@Component("ndjsonBatches")
public class NdjsonBatches {

    private static final int BATCH_LINES = 500;
    private static final int BATCH_BYTES = 1 << 20;
    private static final int MAX_REJECTED = 1000;

    /** Ends a stream of invalid lines: each invalid line costs as much as a valid one. */
    private static final int MAX_REJECTED_IN_A_ROW = 1000;

    private static final String PROPERTY = "ndjsonStream";

    private final EnvelopeWrapper events;
    private final IdempotencyKeys keys;

    /** The interval of the minimum rate. */
    private final Duration interval;

    public NdjsonBatches(EnvelopeWrapper events, IdempotencyKeys keys, HttpLimits limits) {
        this.events = events;
        this.keys = keys;
        this.interval = limits.bodyTimeout();
    }

    /** Replaces the body by the stream of its lines, unread. */
    public void open(@Header("topic") String topic, Exchange exchange) {
        HttpRequest request = HttpRequest.of(exchange);
        Channel channel = events.publishable(topic);
        InputStream body = new MinimumRateInputStream(RequestBody.of(exchange).stream(), interval);
        Stream stream = new Stream(request, channel, new DigestInputStream(body, request.digest()));
        exchange.setProperty(PROPERTY, stream);
        exchange.getMessage().setBody(stream);
    }

    /** Returns whether another batch may follow. */
    public boolean hasNext(Exchange exchange) {
        return !stream(exchange).lines.isAtEnd();
    }

    /** Sets the body to the records of the next batch, and collects the lines that it rejects. */
    public void next(Exchange exchange) {
        Stream stream = stream(exchange);
        List<Message> batch = new ArrayList<>(BATCH_LINES);
        int bytes = 0;
        while (batch.size() < BATCH_LINES && bytes < BATCH_BYTES && !stream.lines.isAtEnd()) {
            renew(stream);
            try {
                byte[] line = stream.lines.next();
                if (line.length > 0) {
                    batch.add(events.record(line, stream.channel, exchange, stream.id(line))
                            .message());
                    bytes += line.length;
                    stream.rejectedInARow = 0;
                }
            } catch (ProblemException e) {
                stream.reject(e.getMessage());
            } catch (MinimumRateInputStream.TooSlowException e) {
                throw new ProblemException(
                        408, "the stream %s, in line %d".formatted(e.getMessage(), stream.lines.number()));
            } catch (IOException e) {
                throw new ProblemException(400, "the stream broke off in line " + stream.lines.number());
            }
        }
        stream.batch = batch.size();
        exchange.getMessage().setBody(batch);
    }

    /** Counts the records of the batch that the broker has acknowledged. */
    public void countAcknowledged(Exchange exchange) {
        Stream stream = stream(exchange);
        stream.accepted += stream.batch;
        exchange.setProperty(ProblemResponses.DONE_BEFORE, stream.accepted + " events were published before");
    }

    /** Renews the lease of the key, because a batch of a slow caller may take long. */
    private void renew(Stream stream) {
        long now = System.nanoTime();
        if (now - stream.renewedAt > IdempotencyKeys.renewal().toNanos()) {
            keys.renew(stream.request);
            stream.renewedAt = now;
        }
    }

    /** Returns the counts of the stream, once it has been read. */
    public StreamReceipt returnReceipt(Exchange exchange) {
        Stream stream = stream(exchange);
        return new StreamReceipt(
                stream.accepted,
                stream.rejected,
                stream.rejectedTotal > stream.rejected.size() ? stream.rejectedTotal : null);
    }

    private static Stream stream(Exchange exchange) {
        return exchange.getProperty(PROPERTY, Stream.class);
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record StreamReceipt(long accepted, List<Rejected> rejected, Long rejectedTotal) {}

    public record Rejected(long line, String error) {}

    /** The progress of the stream of one request. */
    private static final class Stream implements StreamedBody {

        private final HttpRequest request;
        private final Channel channel;
        private final DigestInputStream bytes;
        private final BoundedLineReader lines;
        private final List<Rejected> rejected = new ArrayList<>();
        private long renewedAt = System.nanoTime();
        private long rejectedTotal;
        private int rejectedInARow;
        private long accepted;
        private int batch;

        Stream(HttpRequest request, Channel channel, DigestInputStream bytes) {
            this.request = request;
            this.channel = channel;
            this.bytes = bytes;
            this.lines = new BoundedLineReader(new BufferedInputStream(bytes, 1 << 16), channel.maxMessageBytes());
        }

        @Override
        public byte[] fingerprint() {
            try {
                bytes.transferTo(OutputStream.nullOutputStream());
            } catch (MinimumRateInputStream.TooSlowException e) {
                throw new ProblemException(408, "the stream " + e.getMessage());
            } catch (IOException e) {
                throw new ProblemException(400, "the stream broke off");
            }
            return bytes.getMessageDigest().digest();
        }

        void reject(String error) {
            rejectedTotal++;
            rejectedInARow++;
            if (rejected.size() < MAX_REJECTED) {
                rejected.add(new Rejected(lines.number(), error));
            }
            if (rejectedInARow == MAX_REJECTED_IN_A_ROW) {
                throw new ProblemException(
                        400,
                        "%d consecutive lines are wrong, the last one is line %d: %s"
                                .formatted(rejectedInARow, lines.number(), error));
            }
        }

        /**
         * Derives the id from the Idempotency-Key, the line and its number, so that a repeated stream has the same ids.
         */
        UUID id(byte[] line) {
            return request.idempotencyKey()
                    .map(key -> NameBasedUuid.of(
                            request.caller().tenant(),
                            request.caller().principal(),
                            key,
                            channel.topic(),
                            String.valueOf(lines.number()),
                            HexFormat.of().formatHex(line)))
                    .orElseGet(UUID::randomUUID);
        }
    }
}
