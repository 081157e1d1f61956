package routes.fhir;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpEntityEnclosingRequestBase;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;
import routes.platform.fhir.CallResult;
import routes.platform.fhir.FhirContentType;
import routes.platform.fhir.FhirServerStates;
import routes.platform.fhir.FhirSettings;

/** Calls FHIR servers over HTTP, and says in the facade's own words why there is no answer. */
@Component
class FhirCalls {

    private static final Logger LOG = LoggerFactory.getLogger(FhirCalls.class);

    /** The characters that clients send in queries but that no URI may have. */
    private static final Pattern NOT_IN_URIS = Pattern.compile("[|\"<>^`{}\\[\\]\\\\]");

    /** HAPI writes the text of a resource alone, or null where there is none. */
    private static final Pattern NARRATIVE = Pattern.compile("\\s*<div[\\s>]|null\\s*$|$");

    private static final String BINARY = "Binary";
    private static final Pattern ONE_BINARY = Pattern.compile("Binary/[A-Za-z0-9.-]+(?:/_history/[A-Za-z0-9.-]+)?");
    private static final int OK = 200;
    private static final int CREATED = 201;
    private static final int NOT_MODIFIED = 304;
    private static final int CLIENT_ERROR = 400;
    private static final int SERVER_ERROR = 500;

    private final CloseableHttpClient http;
    private final FhirSettings settings;
    private final FhirServerStates states;

    FhirCalls(CloseableHttpClient fhirHttpClient, FhirSettings settings, FhirServerStates states) {
        this.http = fhirHttpClient;
        this.settings = settings;
        this.states = states;
    }

    /** @throws ProblemException 404 when the tenant has no server */
    FhirSettings.Server server(String tenant) {
        return settings.server(tenant).orElseThrow(() -> new ProblemException(404, "this tenant has no FHIR server"));
    }

    /** Rewrites what the server says for the caller. */
    AddressRewriter serverToFacade(FhirRequest request, UnaryOperator<String> seal) {
        return AddressRewriter.ofAnswer(server(request.caller().tenant()).url().toString(), request.publicUrl(), seal);
    }

    /** Rewrites what the caller says for the server. */
    AddressRewriter facadeToServer(String tenant, String publicUrl) {
        return AddressRewriter.ofRequest(publicUrl, server(tenant).url().toString());
    }

    /**
     * Sends a request, and returns the answer as soon as its head has arrived.
     *
     * @throws ProblemException 503 or 504 when the server gives no answer of FHIR
     */
    ServerAnswer send(FhirRequest request) {
        try {
            CloseableHttpResponse response = http.execute(outgoing(request));
            ServerAnswer answer = new ServerAnswer(response, settings.responseTimeout());
            try {
                check(request, answer);
                return answer;
            } catch (RuntimeException e) {
                response.close();
                throw e;
            }
        } catch (IOException e) {
            throw problem(request, e);
        }
    }

    /**
     * Reads the start of an answer.
     *
     * @throws ProblemException 503 or 504 when the server gives no answer of FHIR; the status of an error that has no
     *     OperationOutcome
     */
    byte[] readUpTo(int bytes, ServerAnswer answer, FhirRequest request) {
        byte[] start;
        try {
            start = answer.readUpTo(bytes);
        } catch (IOException e) {
            throw problem(request, e);
        }
        checkBody(request, answer, start);
        return start;
    }

    private HttpEntityEnclosingRequestBase outgoing(FhirRequest request) {
        FhirSettings.Server server = server(request.caller().tenant());
        HttpEntityEnclosingRequestBase outgoing = new HttpEntityEnclosingRequestBase() {
            @Override
            public String getMethod() {
                return request.method();
            }
        };
        outgoing.setURI(uri(server, request));
        request.headers().forEach(outgoing::setHeader);
        outgoing.setHeader("X-Request-ID", request.requestId());
        outgoing.setHeader(HttpHeaders.ACCEPT_ENCODING, "identity");
        server.authorization().ifPresent(value -> outgoing.setHeader(HttpHeaders.AUTHORIZATION, value));
        if (request.body().length > 0) {
            outgoing.setEntity(new ByteArrayEntity(request.body()));
        }
        return outgoing;
    }

    private static URI uri(FhirSettings.Server server, FhirRequest request) {
        String path = request.path().isEmpty() ? "" : "/" + request.path();
        String query = request.query() == null ? "" : "?" + encoded(request.query());
        return URI.create(server.url() + path + query);
    }

    /** Encodes the characters of a query that no URI may have. */
    static String encoded(String query) {
        return NOT_IN_URIS.matcher(query).replaceAll(found -> "%%%02X"
                .formatted((int) found.group().charAt(0)));
    }

    /** Refuses answers that are not the server's, such as the page of a proxy, or not for the caller. */
    private void check(FhirRequest request, ServerAnswer answer) {
        int status = answer.status();
        String type = answer.headers().getOrDefault("content-type", "");
        // HAPI names a type even where nothing was modified and there is no body
        boolean isFhir = !answer.isEncoded()
                && (type.isEmpty()
                        || status == NOT_MODIFIED
                        || FhirContentType.isFhir(type)
                        || isBinary(request, answer)
                        || isNarrative(request, answer));
        CallResult result = CallResult.ofAnswer(status, isFhir);
        switch (result) {
            case OK, GONE -> {}
            case REFUSED, CONFLICT, NOT_BEGUN, FAILED -> {
                if (!isFhir) {
                    throw withoutReason(request, result, status);
                }
            }
            default -> throw problem(request, result, String.valueOf(status));
        }
        states.called(request.caller().tenant(), result, null);
    }

    /** Refuses a body that is not of the type that it claims, and the errors of a proxy. */
    private void checkBody(FhirRequest request, ServerAnswer answer, byte[] start) {
        int status = answer.status();
        if (status >= CLIENT_ERROR) {
            if (!new String(start, StandardCharsets.ISO_8859_1).contains("OperationOutcome")) {
                throw withoutReason(request, CallResult.ofAnswer(status, status < SERVER_ERROR), status);
            }
        } else if (isNarrative(request, answer)) {
            if (!NARRATIVE.matcher(new String(start, StandardCharsets.UTF_8)).lookingAt()) {
                throw problem(request, CallResult.NOT_FHIR, String.valueOf(status));
            }
        } else if (start.length == 0) {
            if (status == OK && request.method().equals("GET")) {
                throw problem(request, CallResult.NOT_FHIR, String.valueOf(status));
            }
        } else if (!isBinary(request, answer)) {
            int expected = expectedStart(request, answer.headers().getOrDefault("content-type", ""));
            if (expected != 0 && firstLetter(start) != expected) {
                throw problem(request, CallResult.NOT_FHIR, String.valueOf(status));
            }
        }
    }

    /** Returns the character that a body of this type begins with; 0 when it may be any, as in a Binary. */
    private static int expectedStart(FhirRequest request, String type) {
        boolean isAny = isOfBinary(request) && !type.contains("fhir");
        if (isAny || type.contains("turtle") || type.contains("ndjson")) {
            return 0;
        }
        return type.contains("xml") ? '<' : '{';
    }

    /** Returns the first byte that is neither white space nor a byte order mark. */
    private static int firstLetter(byte[] text) {
        int at = 0;
        while (at < text.length && (text[at] < 0 || Character.isWhitespace(text[at]))) {
            at++;
        }
        return at < text.length ? text[at] : 0;
    }

    /** Reports an error without an OperationOutcome, such as that of a proxy. */
    private ProblemException withoutReason(FhirRequest request, CallResult result, int status) {
        if (result.mayHaveChanged()) {
            return problem(request, result, String.valueOf(status));
        }
        String error = "the FHIR server refuses the request without a reason";
        return AnswerRules.changesNothing(status)
                ? new NotDoneException(status, error)
                : new ProblemException(status, error);
    }

    /** Whether the body is that of a Binary in its own form, such as a PDF document. */
    static boolean isBinary(FhirRequest request, ServerAnswer answer) {
        String type = answer.headers().getOrDefault("content-type", "");
        return (answer.status() == OK || answer.status() == CREATED)
                && isOfBinary(request)
                && !type.isEmpty()
                && !FhirContentType.isFhir(type);
    }

    /** Whether the answer to a request may be the content of a Binary. */
    private static boolean isOfBinary(FhirRequest request) {
        return ONE_BINARY.matcher(request.path()).matches()
                || request.isWrite() && request.path().equals(BINARY);
    }

    /** Whether the answer is the text of one resource in HTML, as HAPI answers {@code _summary=text}. */
    private static boolean isNarrative(FhirRequest request, ServerAnswer answer) {
        return answer.status() == OK
                && !request.isWrite()
                && answer.headers()
                        .getOrDefault("content-type", "")
                        .toLowerCase(Locale.ROOT)
                        .startsWith("text/html")
                && FhirQuery.decode(request.query(), "query").stream()
                        .anyMatch(one ->
                                one.name().equals("_summary") && one.value().contains("text"));
    }

    private ProblemException problem(FhirRequest request, IOException failure) {
        return problem(
                request, CallResult.ofFailure(failure), failure.getClass().getSimpleName());
    }

    /** Notes and reports a call without an answer for the caller. */
    private ProblemException problem(FhirRequest request, CallResult result, String reason) {
        String tenant = request.caller().tenant();
        LOG.warn("the FHIR server of tenant {} gave no answer: {}, {}", tenant, result, reason);
        states.called(tenant, result, reason);
        if (!result.mayHaveChanged()) {
            return new NotDoneException(503, "the FHIR server is not available, try again");
        }
        String error =
                switch (result) {
                    case SLOW -> "the FHIR server did not answer in time";
                    case BROKEN_OFF -> "the FHIR server broke off its answer";
                    case NO_SERVER -> "the FHIR server is not available, try again";
                    default -> "the FHIR server gave no FHIR answer, try again";
                };
        String warning = request.isWrite() ? "; the change may have happened, so read before you repeat it" : "";
        return ProblemException.temporary(result == CallResult.SLOW ? 504 : 503, error + warning);
    }
}
