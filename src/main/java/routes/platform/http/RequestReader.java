package routes.platform.http;

import io.swagger.v3.oas.models.Operation;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.Json;
import routes.platform.Violation;
import routes.platform.contract.OperationContract;
import routes.platform.error.MalformedJsonException;
import routes.platform.error.ProblemException;

/** Reads a request according to its operation's contract, into the exchange's {@link HttpRequest} and body. */
@Component
class RequestReader {

    private static final String NDJSON = "application/x-ndjson";

    private final WaitingRequestLimiter waiting;
    private final int maxBody;
    private final Duration bodyTimeout;

    RequestReader(WaitingRequestLimiter waiting, HttpLimits limits) {
        this.waiting = waiting;
        this.maxBody = Math.toIntExact(limits.maxBody().toBytes());
        this.bodyTimeout = limits.bodyTimeout();
    }

    /** @throws ProblemException 400 with every violation of the contract; 403, 408, 413 or 415 */
    void read(
            Exchange exchange,
            HttpServletRequest servlet,
            Operation operation,
            OperationContract contract,
            Caller caller) {
        String mediaType = hasBody(servlet, operation)
                ? mediaType(
                        servlet.getContentType(),
                        operation.getRequestBody().getContent().keySet(),
                        exchange)
                : "";
        List<Violation> wrong = new ArrayList<>();
        Map<String, String> query = QueryString.read(servlet.getQueryString(), contract.names("query"), wrong);
        Map<String, Object> parameters = contract.read("query", query, wrong);
        Map<String, Object> headers = contract.read("header", headers(servlet, contract, wrong), wrong);
        contract.read("path", path(exchange, contract), wrong).forEach(exchange.getMessage()::setHeader);
        HttpRequest request = new HttpRequest(
                AccessRule.inTenant((String) parameters.get("tenant"), caller, operation.getOperationId(), exchange),
                (String) servlet.getAttribute(RequestFilter.CORRELATION_ID),
                UUID.randomUUID().toString(),
                Optional.ofNullable((String) headers.get("Idempotency-Key")),
                servlet.getMethod(),
                (String) servlet.getAttribute(RequestFilter.PATH),
                query,
                parameters,
                mediaType);
        request.bindTo(exchange);
        wrong.addAll(readBody(request, contract, caller, exchange));
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, mediaType);
        if (!wrong.isEmpty()) {
            throw new ProblemException(wrong);
        }
    }

    /** Leaves a stream to its route, which checks it line by line. */
    private List<Violation> readBody(
            HttpRequest request, OperationContract contract, Caller caller, Exchange exchange) {
        if (request.mediaType().equals(NDJSON)) {
            waiting.acquire(caller, exchange);
            return List.of();
        }
        byte[] body = new byte[0];
        if (!request.mediaType().isEmpty()) {
            body = readWhole(RequestBody.of(exchange), caller);
            exchange.getMessage().setBody(body);
        }
        if (request.idempotencyKey().isPresent()) {
            exchange.setProperty(HttpRequest.FINGERPRINT, request.digest().digest(body));
        }
        return request.mediaType().isEmpty() ? List.of() : check(body, contract);
    }

    private byte[] readWhole(RequestBody body, Caller caller) {
        try (WaitingRequestLimiter.Permit permit = waiting.acquire(caller)) {
            return body.read(maxBody, bodyTimeout);
        }
    }

    private static List<Violation> check(byte[] body, OperationContract contract) {
        try {
            return contract.check(Json.read(body));
        } catch (MalformedJsonException e) {
            return List.of(new Violation("body", e.getMessage()));
        }
    }

    /** An optional body may be missing: then it has no bytes. */
    private static boolean hasBody(HttpServletRequest servlet, Operation operation) {
        if (operation.getRequestBody() == null) {
            return false;
        }
        boolean sent = servlet.getContentLengthLong() > 0 || servlet.getHeader(HttpHeaders.TRANSFER_ENCODING) != null;
        return sent || Boolean.TRUE.equals(operation.getRequestBody().getRequired());
    }

    private static Map<String, String> headers(
            HttpServletRequest servlet, OperationContract contract, List<Violation> wrong) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String name : contract.names("header")) {
            List<String> sent = Collections.list(servlet.getHeaders(name));
            // RequestFilter has checked the correlation id, and made one up for an empty header
            if (!sent.isEmpty() && !name.equals(CorrelationId.HEADER)) {
                headers.put(name, sent.get(0));
            }
            if (sent.size() > 1) {
                wrong.add(new Violation("header " + name, "is given twice"));
            }
        }
        return headers;
    }

    /** Camel has made headers of the path's parameters as they are in the request line. */
    private static Map<String, String> path(Exchange exchange, OperationContract contract) {
        Map<String, String> path = new LinkedHashMap<>();
        for (String name : contract.names("path")) {
            try {
                path.put(name, QueryString.decode(exchange.getMessage().getHeader(name, String.class)));
            } catch (CharacterCodingException e) {
                throw new ProblemException(List.of(new Violation("path parameter " + name, QueryString.NOT_UTF_8)));
            }
        }
        return path;
    }

    /** The accepted type that was sent, without its parameters. */
    private static String mediaType(String sent, Set<String> accepted, Exchange exchange) {
        try {
            MediaType type = MediaType.parseMediaType(sent == null ? "" : sent);
            if (type.getCharset() != null && !type.getCharset().equals(StandardCharsets.UTF_8)) {
                throw new ProblemException(415, "the charset of header Content-Type must be UTF-8");
            }
            return accepted.stream()
                    .filter(name -> MediaType.parseMediaType(name).equalsTypeAndSubtype(type))
                    .findFirst()
                    .orElseThrow(() -> unsupported(accepted, exchange));
        } catch (InvalidMediaTypeException e) {
            throw unsupported(accepted, exchange);
        }
    }

    private static ProblemException unsupported(Set<String> accepted, Exchange exchange) {
        // on the servlet's response: Camel drops a message header that requests have too
        exchange.getMessage()
                .getHeader("CamelHttpServletResponse", HttpServletResponse.class)
                .setHeader(HttpHeaders.ACCEPT, String.join(", ", accepted));
        return new ProblemException(
                415, "header " + HttpHeaders.CONTENT_TYPE + " must be " + String.join(" or ", accepted));
    }
}
