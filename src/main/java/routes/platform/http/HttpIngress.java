package routes.platform.http;

import io.swagger.v3.oas.models.OpenAPI;
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
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.component.rest.openapi.DefaultRestOpenapiProcessorStrategy;
import org.apache.camel.support.processor.RestBindingAdvice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.Json;
import routes.platform.Violation;
import routes.platform.contract.OpenApi;
import routes.platform.contract.OperationContract;
import routes.platform.error.MalformedJsonException;
import routes.platform.error.ProblemException;

/**
 * What happens to every request of the contract before its route: it is checked, and answered at once when it is wrong. Camel's
 * contract-first binding calls it for every operation. Its own validator (camel-openapi-validator) is built anew for each request, reads
 * streams whole, repeats values in its messages, and takes texts for numbers that nobody else can read.
 */
@Component("httpIngress")
class HttpIngress extends DefaultRestOpenapiProcessorStrategy {

    private static final Logger LOG = LoggerFactory.getLogger(HttpIngress.class);

    /** Query parameter. */
    private static final String TENANT = "tenant";

    private static final MediaType NDJSON = MediaType.parseMediaType("application/x-ndjson");

    private final OpenApi contract;
    private final ProblemResponses problems;
    private final int maxBody;
    private final Duration bodyTimeout;

    private final WaitingRequestLimiter waiting;

    HttpIngress(OpenApi contract, ProblemResponses problems, WaitingRequestLimiter waiting, HttpLimits limits) {
        this.contract = contract;
        this.problems = problems;
        this.waiting = waiting;
        this.maxBody = Math.toIntExact(limits.maxBody().toBytes());
        this.bodyTimeout = limits.bodyTimeout();
    }

    @Override
    public boolean process(
            OpenAPI openApi,
            Operation operation,
            String verb,
            String path,
            RestBindingAdvice binding,
            Exchange exchange,
            AsyncCallback callback) {
        HttpServletRequest servlet =
                exchange.getMessage().getHeader("CamelHttpServletRequest", HttpServletRequest.class);
        exchange.setProperty(CorrelationId.PROPERTY, servlet.getAttribute(RequestFilter.CORRELATION_ID));
        exchange.setProperty(ProblemResponses.SERVLET_REQUEST, servlet);
        try {
            admit(exchange, servlet, operation);
        } catch (RuntimeException e) {
            problems.respond(exchange, e);
            callback.done(true);
            return true;
        }
        return super.process(openApi, operation, verb, path, binding, exchange, callback);
    }

    private void admit(Exchange exchange, HttpServletRequest servlet, Operation operation) {
        Caller caller = CallerResolver.resolve(servlet);
        for (String scope : OpenApi.scopes(operation)) {
            require(scope, caller, exchange);
        }
        if (!isServed(exchange, operation) || servlet.getRequestURI().endsWith("/")) {
            throw new ProblemException(404, "no such resource");
        }
        String mediaType = hasBody(servlet, operation)
                ? mediaType(
                        servlet.getContentType(),
                        operation.getRequestBody().getContent().keySet(),
                        exchange)
                : "";
        OperationContract reading = contract.operation(operation.getOperationId());
        List<Violation> wrong = new ArrayList<>();
        Map<String, String> query = QueryString.read(servlet.getQueryString(), reading.names("query"), wrong);
        Map<String, Object> parameters = reading.read("query", query, wrong);
        Map<String, Object> headers = reading.read("header", headers(servlet, reading, wrong), wrong);
        reading.read("path", path(exchange, reading, wrong), wrong).forEach(exchange.getMessage()::setHeader);
        HttpRequest request = new HttpRequest(
                at((String) parameters.get(TENANT), caller, operation, exchange),
                (String) servlet.getAttribute(RequestFilter.CORRELATION_ID),
                UUID.randomUUID().toString(),
                Optional.ofNullable((String) headers.get("Idempotency-Key")),
                servlet.getMethod(),
                (String) servlet.getAttribute(RequestFilter.PATH),
                query,
                parameters,
                mediaType);
        request.bindTo(exchange);

        if (mediaType.equals(NDJSON.toString())) {
            // a stream is checked line by line, while it is read
            waiting.acquire(caller, exchange);
        } else if (!mediaType.isEmpty()) {
            byte[] body = read(RequestBody.of(exchange), caller);
            wrong.addAll(check(body, reading));
            exchange.getMessage().setBody(body);
            if (request.idempotencyKey().isPresent()) {
                exchange.setProperty(HttpRequest.FINGERPRINT, request.digest().digest(body));
            }
        }
        if (mediaType.isEmpty() && request.idempotencyKey().isPresent()) {
            exchange.setProperty(HttpRequest.FINGERPRINT, request.digest().digest());
        }
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, mediaType);
        if (!wrong.isEmpty()) {
            throw new ProblemException(wrong);
        }
    }

    /** An operator may name another tenant, where the operation has a parameter for it. */
    private static Caller at(String tenant, Caller caller, Operation operation, Exchange exchange) {
        if (tenant == null || tenant.equals(caller.tenant())) {
            return caller;
        }
        require(Caller.ALL_TENANTS, caller, exchange);
        LOG.info(
                "{} of tenant {} works for tenant {}: {}",
                caller.principal(),
                caller.tenant(),
                tenant,
                operation.getOperationId());
        return caller.actingFor(tenant);
    }

    private static void require(String scope, Caller caller, Exchange exchange) {
        if (!caller.hasScope(scope)) {
            exchange.getMessage()
                    .setHeader(
                            HttpHeaders.WWW_AUTHENTICATE,
                            "Bearer error=\"insufficient_scope\", scope=\"" + scope + "\"");
            throw new ProblemException(403, "the token has no scope " + scope);
        }
    }

    private static List<Violation> check(byte[] body, OperationContract reading) {
        try {
            return reading.check(Json.read(body));
        } catch (MalformedJsonException e) {
            return List.of(new Violation("body", e.getMessage()));
        }
    }

    /** A body that the operation does not insist on may be missing: then it has no bytes. */
    private static boolean hasBody(HttpServletRequest servlet, Operation operation) {
        if (operation.getRequestBody() == null) {
            return false;
        }
        boolean sent = servlet.getContentLengthLong() > 0 || servlet.getHeader(HttpHeaders.TRANSFER_ENCODING) != null;
        return sent || Boolean.TRUE.equals(operation.getRequestBody().getRequired());
    }

    private byte[] read(RequestBody body, Caller caller) {
        try (WaitingRequestLimiter.Permit permit = waiting.acquire(caller)) {
            return body.read(maxBody, bodyTimeout);
        }
    }

    /** A pattern that is switched off has its routes, but they are not started. */
    private static boolean isServed(Exchange exchange, Operation operation) {
        return exchange.getContext().getRoutes().stream()
                .filter(route ->
                        route.getEndpoint().getEndpointBaseUri().equals("direct://" + operation.getOperationId()))
                .anyMatch(route -> exchange.getContext()
                        .getRouteController()
                        .getRouteStatus(route.getRouteId())
                        .isStarted());
    }

    private static Map<String, String> headers(
            HttpServletRequest servlet, OperationContract reading, List<Violation> wrong) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String name : reading.names("header")) {
            List<String> sent = Collections.list(servlet.getHeaders(name));
            // the correlation id has been checked, and an empty one is as good as none
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
    private static Map<String, String> path(Exchange exchange, OperationContract reading, List<Violation> wrong) {
        Map<String, String> path = new LinkedHashMap<>();
        for (String name : reading.names("path")) {
            try {
                path.put(name, QueryString.decode(exchange.getMessage().getHeader(name, String.class)));
            } catch (CharacterCodingException e) {
                throw new ProblemException(List.of(new Violation("path parameter " + name, QueryString.NOT_UTF_8)));
            }
        }
        return path;
    }

    /** Which of the accepted types was sent, without its parameters. */
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
        // Camel leaves away what is named as a header of requests
        exchange.getMessage()
                .getHeader("CamelHttpServletResponse", HttpServletResponse.class)
                .setHeader(HttpHeaders.ACCEPT, String.join(", ", accepted));
        return new ProblemException(
                415, "header " + HttpHeaders.CONTENT_TYPE + " must be " + String.join(" or ", accepted));
    }
}
