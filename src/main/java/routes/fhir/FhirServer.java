package routes.fhir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.support.SynchronizationAdapter;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import routes.fhir.AddressRewriter.Syntax;
import routes.platform.http.DeadlineResponse;

/** Passes requests to the FHIR server of the caller's tenant, and its answers to the caller. */
@Component("fhirServer")
class FhirServer {

    /** A longer answer to a read passes as a stream. */
    private static final int READ_WHOLE = 1 << 18;

    /** A longer answer to a write passes as a stream, and the resolver notes its outcome. */
    static final int WRITE_WHOLE = 1 << 22;

    /** By their names in lower case, and as the caller gets them. */
    private static final Map<String, String> PASSED_ON = Map.of(
            "content-type", HttpHeaders.CONTENT_TYPE,
            "content-disposition", HttpHeaders.CONTENT_DISPOSITION,
            "content-location", "Content-Location",
            "etag", HttpHeaders.ETAG,
            "last-modified", HttpHeaders.LAST_MODIFIED,
            "location", HttpHeaders.LOCATION,
            "preference-applied", "Preference-Applied",
            "retry-after", HttpHeaders.RETRY_AFTER,
            "x-request-id", "X-Request-ID");

    /** The statuses after which a caller repeats the request. */
    private static final Set<Integer> LATER = Set.of(429, 503, 504);

    private static final int RETRY_AFTER_SECONDS = 5;

    private final FhirCalls calls;
    private final PageLinks pages;

    FhirServer(FhirCalls calls, PageLinks pages) {
        this.calls = calls;
        this.pages = pages;
    }

    /**
     * Sends a read and passes the answer on, a long one as a stream.
     *
     * @throws routes.platform.error.ProblemException 503 or 504 when the server gives no answer of FHIR
     * @throws org.springframework.dao.DataAccessException when page links cannot be sealed
     */
    public void read(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        UnaryOperator<String> seal = sealFor(request);
        ServerAnswer answer = calls.send(request);
        closeWhenDone(exchange, answer);
        byte[] start = calls.readUpTo(READ_WHOLE, answer, request);
        pass(exchange, request, answer, start, start.length < READ_WHOLE, seal);
    }

    /**
     * Sends a write and reads the whole answer, which {@link FhirIntents} notes before the caller gets it.
     *
     * @throws routes.platform.error.ProblemException 503 or 504 when the server gives no answer of FHIR; the change may
     *     have happened
     * @throws org.springframework.dao.DataAccessException when page links cannot be sealed; nothing has happened
     */
    public void write(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        UnaryOperator<String> seal = sealFor(request);
        ServerAnswer answer = calls.send(request);
        closeWhenDone(exchange, answer);
        byte[] start = calls.readUpTo(WRITE_WHOLE, answer, request);
        boolean isWhole = start.length < WRITE_WHOLE;
        pass(exchange, request, answer, start, isWhole, seal);
        // the content of a Binary tells nothing about versions
        byte[] resource = FhirCalls.isBinary(request, answer) ? new byte[0] : isWhole ? start : null;
        new FhirAnswer(answer.status(), answer.headers(), resource).bindTo(exchange);
    }

    private static void closeWhenDone(Exchange exchange, ServerAnswer answer) {
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                try {
                    answer.close();
                } catch (IOException e) {
                    // the connection is closed in any case, and the answer has been passed on
                }
            }
        });
    }

    /**
     * @param start the first bytes of the answer
     * @param isWhole whether the answer ends with them
     */
    private void pass(
            Exchange exchange,
            FhirRequest request,
            ServerAnswer answer,
            byte[] start,
            boolean isWhole,
            UnaryOperator<String> seal) {
        AddressRewriter rewriter = calls.serverToFacade(request, seal);
        Map<String, String> headers = answer.headers();
        Message message = exchange.getMessage();
        message.removeHeader(Exchange.CONTENT_TYPE);
        message.setHeader(Exchange.HTTP_RESPONSE_CODE, answer.status());
        headers.forEach((name, value) -> {
            // the runtime's own id tells nobody anything about a read
            if (!name.equals("x-request-id") || request.isWrite()) {
                message.setHeader(PASSED_ON.get(name), rewriter.rewrite(value));
            }
        });
        if (LATER.contains(answer.status()) && message.getHeader(HttpHeaders.RETRY_AFTER) == null) {
            message.setHeader(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        if (FhirCalls.isBinary(request, answer)) {
            message.setBody(isWhole ? start : breakingOff(exchange, rest(start, answer)));
        } else {
            Syntax syntax = Syntax.of(headers.getOrDefault("content-type", ""));
            message.setBody(
                    isWhole
                            ? rewriter.rewrite(start, syntax)
                            : breakingOff(exchange, new RewritingInputStream(rest(start, answer), rewriter, syntax)));
        }
    }

    private static InputStream rest(byte[] start, ServerAnswer answer) {
        return new SequenceInputStream(new ByteArrayInputStream(start), answer);
    }

    private UnaryOperator<String> sealFor(FhirRequest request) {
        Set<FhirPermission> needs = request.interactions().stream()
                .filter(interaction -> !interaction.isWrite())
                .flatMap(interaction -> interaction.needs().stream())
                .collect(Collectors.toUnmodifiableSet());
        // only a search has pages; elsewhere a link is a text of a resource
        boolean isSearch = needs.stream().anyMatch(need -> need.letter() == 's');
        if (!isSearch) {
            return UnaryOperator.identity();
        }
        // while nothing is sent yet: later, a failure would cut the answer
        pages.loadKey();
        return id -> pages.seal(id, needs, request.caller());
    }

    /** A stream whose failure also ends the answer to the caller, which would look complete otherwise. */
    private static InputStream breakingOff(Exchange exchange, InputStream source) {
        return new InputStream() {
            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                try {
                    return source.read(target, offset, length);
                } catch (IOException e) {
                    DeadlineResponse.breakOff(exchange);
                    throw new IOException("the answer of the FHIR server broke off");
                }
            }

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public void close() throws IOException {
                source.close();
            }
        };
    }
}
