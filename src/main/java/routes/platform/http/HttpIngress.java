package routes.platform.http;

import com.atlassian.oai.validator.model.SimpleRequest;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.component.rest.openapi.DefaultRestOpenapiProcessorStrategy;
import org.apache.camel.support.processor.RestBindingAdvice;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.util.unit.DataSize;
import org.springframework.web.util.UriComponentsBuilder;
import routes.platform.Caller;
import routes.platform.Json;
import routes.platform.contract.OpenApi;
import routes.platform.error.ProblemException;

/**
 * What happens to every request of the contract before its route: it is checked, and answered at once when it is wrong. Camel's
 * contract-first binding calls it for every operation. Its own validator (camel-openapi-validator) is built anew for each request, reads
 * streams whole, and repeats values in its messages; the library behind it does the checking here, too.
 */
@Component("httpIngress")
class HttpIngress extends DefaultRestOpenapiProcessorStrategy {

    private static final MediaType NDJSON = MediaType.parseMediaType("application/x-ndjson");

    private final OpenApi contract;
    private final Problems problems;
    private final int maxBody;

    HttpIngress(OpenApi contract, Problems problems, Settings settings) {
        this.contract = contract;
        this.problems = problems;
        this.maxBody = Math.toIntExact(settings.maxBody().toBytes());
    }

    /** @param maxBody the largest body that is not streamed */
    @ConfigurationProperties("event-broker.http")
    record Settings(@DefaultValue("1MB") DataSize maxBody) {}

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
        HttpRequest request = new HttpRequest(
                Caller.SANDBOX,
                (String) servlet.getAttribute(RequestFilter.CORRELATION_ID),
                UUID.randomUUID().toString(),
                Optional.ofNullable(servlet.getHeader("Idempotency-Key")),
                servlet.getMethod(),
                servlet.getRequestURI(),
                servlet.getQueryString());
        request.bindTo(exchange);
        try {
            admit(exchange, servlet, request, operation);
        } catch (RuntimeException e) {
            problems.respond(exchange, e);
            callback.done(true);
            return true;
        }
        return super.process(openApi, operation, verb, path, binding, exchange, callback);
    }

    private void admit(Exchange exchange, HttpServletRequest servlet, HttpRequest request, Operation operation) {
        if (!isServed(exchange, operation)) {
            throw new ProblemException(404, "no such resource");
        }
        SimpleRequest.Builder checked = new SimpleRequest.Builder(request.method(), request.path());
        UriComponentsBuilder.newInstance()
                .query(request.query())
                .build()
                .getQueryParams()
                .forEach(checked::withQueryParam);
        servlet.getHeaderNames().asIterator().forEachRemaining(name -> {
            if (!name.equalsIgnoreCase("Accept") && !name.equalsIgnoreCase("Content-Type")) {
                checked.withHeader(name, servlet.getHeader(name));
            }
        });
        if (operation.getRequestBody() != null) {
            MediaType type = mediaType(
                    servlet.getContentType(),
                    operation.getRequestBody().getContent().keySet());
            checked.withContentType(type.toString());
            if (type.isCompatibleWith(NDJSON)) {
                // a stream is checked line by line, while it is read
                checked.withBody("-");
            } else {
                byte[] body = RequestBody.of(exchange).read(maxBody);
                Json.read(body);
                checked.withBody(body);
                exchange.getMessage().setBody(body);
            }
            exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, type.toString());
        }
        contract.firstError(checked.build()).ifPresent(error -> {
            throw new ProblemException(400, error);
        });
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

    private static MediaType mediaType(String sent, Set<String> accepted) {
        try {
            MediaType type = MediaType.parseMediaType(sent == null ? "" : sent);
            return accepted.stream()
                    .map(MediaType::parseMediaType)
                    .filter(type::equalsTypeAndSubtype)
                    .findFirst()
                    .orElseThrow(() -> unsupported(accepted));
        } catch (InvalidMediaTypeException e) {
            throw unsupported(accepted);
        }
    }

    private static ProblemException unsupported(Set<String> accepted) {
        return new ProblemException(415, "header Content-Type must be " + String.join(" or ", accepted));
    }
}
