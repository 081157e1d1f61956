package routes.platform.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import routes.platform.Violation;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;

/** Answers failed requests with problems. */
@Component("problemResponses")
public class ProblemResponses {

    /** Exchange property: tells the caller which part of the request took effect before the failure, as a clause. */
    public static final String DONE_BEFORE = "doneBefore";

    /** Exchange property. */
    static final String SERVLET_REQUEST = "servletRequest";

    /** Request attribute: the error, for the case that Tomcat answers because it cannot read the body to its end. */
    static final String ERROR = ProblemResponses.class.getName() + ".error";

    private static final Logger LOG = LoggerFactory.getLogger(ProblemResponses.class);
    private static final int RETRY_AFTER_SECONDS = 5;

    private final ObjectMapper mapper;
    private final FailureClassifier failures;
    private final List<ErrorFormat> formats;

    /** @param formats the forms of errors other than problem+json */
    public ProblemResponses(ObjectMapper mapper, FailureClassifier failures, List<ErrorFormat> formats) {
        this.mapper = mapper;
        this.failures = failures;
        this.formats = formats;
    }

    /** Turns the exception that a route's error policy caught into the response. */
    public void answer(Exchange exchange) {
        respond(exchange, exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class));
    }

    void respond(Exchange exchange, Throwable caught) {
        ProblemException problem = failures.find(caught, ProblemException.class);
        if (problem != null) {
            List<Violation> errors =
                    problem.violations().stream().map(Violation::inRequest).toList();
            String error = errors.isEmpty() ? problem.getMessage() : ProblemException.line(errors);
            write(exchange, problem.status(), error, errors, problem.isTemporary());
        } else if (failures.find(caught, RecordTooLargeException.class) != null) {
            write(exchange, 413, "the event is larger than its topic accepts", List.of(), false);
        } else if (failures.isDependencyDown(caught)) {
            LOG.warn("answered 503: {}", failures.describe(caught));
            write(exchange, 503, "a service that this request needs is not available, try again", List.of(), true);
        } else {
            LOG.error("answered 500: {}\n{}", failures.describe(caught), failures.stack(caught));
            write(exchange, 500, "internal error", List.of(), false);
        }
    }

    private void write(Exchange exchange, int status, String what, List<Violation> errors, boolean temporary) {
        String correlationId = exchange.getProperty(CorrelationId.PROPERTY, String.class);
        String before = exchange.getProperty(DONE_BEFORE, String.class);
        String error = before == null ? what : what + "; " + before;
        if (temporary) {
            exchange.getMessage().setHeader(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, status);
        HttpServletRequest request = exchange.getProperty(SERVLET_REQUEST, HttpServletRequest.class);
        ErrorFormat.Rendered rendered = render(request, Problem.of(status, error, errors, correlationId));
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, rendered.mediaType());
        exchange.getMessage().setBody(rendered.body());
        if (request != null) {
            request.setAttribute(ERROR, error);
        }
    }

    /** Answers a request that has not reached Camel. */
    void reject(
            HttpServletRequest request, HttpServletResponse response, int status, String error, String correlationId)
            throws IOException {
        if (status == 429 || status == 503) {
            response.setIntHeader(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response.setStatus(status);
        response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        response.setHeader("X-Content-Type-Options", "nosniff");
        ErrorFormat.Rendered rendered = render(request, Problem.of(status, error, correlationId));
        response.setContentType(rendered.mediaType());
        response.getOutputStream().write(rendered.body());
    }

    /**
     * Renders a problem in the form that the callers of the request's path expect.
     *
     * @param request null where the path is unknown
     */
    ErrorFormat.Rendered render(HttpServletRequest request, Problem problem) {
        String path = request == null ? null : RequestPath.normal(path(request));
        return formats.stream()
                .filter(format -> path != null && format.appliesTo(path))
                .findFirst()
                .map(format -> format.render(request, problem.status(), problem.error(), problem.errors()))
                .orElseGet(() -> new ErrorFormat.Rendered(Problem.MEDIA_TYPE, json(problem)));
    }

    /** The path that the caller has sent. Tomcat may render the error on another path. */
    private static String path(HttpServletRequest request) {
        return request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI) instanceof String sent
                ? sent
                : request.getRequestURI();
    }

    private byte[] json(Problem problem) {
        try {
            return mapper.writeValueAsBytes(problem);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a problem is always JSON", e);
        }
    }
}
