package routes.platform.http;

import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import jakarta.servlet.http.HttpServletRequest;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.component.rest.openapi.DefaultRestOpenapiProcessorStrategy;
import org.apache.camel.support.processor.RestBindingAdvice;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.contract.OpenApi;
import routes.platform.contract.OperationContract;
import routes.platform.error.ProblemException;

/**
 * Stands between Tomcat and the routes of the contract: refuses an invalid request before its route, and completes the
 * answer after it. Camel's contract-first binding calls it for every operation.
 *
 * <p>Camel's own validator (camel-openapi-validator) parses the contract for each request, reads streams whole, repeats
 * values in its messages, and accepts text as numbers.
 */
@Component("httpIngress")
class HttpIngress extends DefaultRestOpenapiProcessorStrategy {

    private final OpenApi contract;
    private final RequestReader reader;
    private final ResponseWriter writer;
    private final ProblemResponses problems;

    HttpIngress(OpenApi contract, RequestReader reader, ResponseWriter writer, ProblemResponses problems) {
        this.contract = contract;
        this.reader = reader;
        this.writer = writer;
        this.problems = problems;
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
        OperationContract reading = contract.operation(operation.getOperationId());
        try {
            admit(exchange, servlet, operation, reading);
        } catch (RuntimeException e) {
            problems.respond(exchange, e);
            callback.done(true);
            return true;
        }
        return super.process(openApi, operation, verb, path, binding, exchange, doneSync -> {
            complete(exchange, reading);
            callback.done(doneSync);
        });
    }

    private void admit(Exchange exchange, HttpServletRequest servlet, Operation operation, OperationContract reading) {
        Caller caller = CallerResolver.resolve(servlet);
        for (String scope : OpenApi.scopes(operation)) {
            AccessRule.requireScope(scope, caller, exchange);
        }
        if (!isServed(exchange, operation) || servlet.getRequestURI().endsWith("/")) {
            throw new ProblemException(404, "no such resource");
        }
        reader.read(exchange, servlet, operation, reading, caller);
    }

    private void complete(Exchange exchange, OperationContract reading) {
        if (exchange.isFailed()) {
            return;
        }
        try {
            writer.complete(exchange, reading);
        } catch (RuntimeException e) {
            problems.respond(exchange, e);
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
}
