package routes.platform.http;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.boot.web.servlet.error.ErrorController;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.RequestAttributes;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** Renders errors that never reach Camel, such as an unknown path or method, as problems. */
@RestControllerAdvice
@RestController
class ProblemErrorController extends ResponseEntityExceptionHandler implements ErrorController {

    private final ProblemResponses problems;

    ProblemErrorController(ProblemResponses problems) {
        this.problems = problems;
    }

    @Override
    protected ResponseEntity<Object> handleExceptionInternal(
            Exception ex, Object body, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        String known = (String) request.getAttribute(RequestFilter.CORRELATION_ID, RequestAttributes.SCOPE_REQUEST);
        HttpHeaders sent = new HttpHeaders();
        sent.putAll(headers);
        if (status.isSameCodeAs(HttpStatus.METHOD_NOT_ALLOWED)) {
            sent.setAllow(allowed(headers));
        }
        return problem(
                ((ServletWebRequest) request).getRequest(),
                sent,
                Problem.of(status.value(), correlationId(known, sent)));
    }

    /** Adds to the methods of the handlers HEAD, which every GET serves, and OPTIONS, which every path answers. */
    private static Set<HttpMethod> allowed(HttpHeaders headers) {
        Set<HttpMethod> methods = new TreeSet<>(headers.getAllow());
        if (methods.contains(HttpMethod.GET)) {
            methods.add(HttpMethod.HEAD);
        }
        methods.add(HttpMethod.OPTIONS);
        return methods;
    }

    /**
     * Creates an id where {@link RequestFilter} has not seen the request: on the management port, and where Tomcat
     * rejects.
     */
    private static String correlationId(String known, HttpHeaders headers) {
        if (known != null) {
            return known;
        }
        String created = CorrelationId.create();
        headers.set(CorrelationId.HEADER, created);
        return created;
    }

    @RequestMapping("${server.error.path:/error}")
    ResponseEntity<Object> error(HttpServletRequest request) {
        Object status = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
        HttpHeaders headers = new HttpHeaders();
        String correlationId = correlationId((String) request.getAttribute(RequestFilter.CORRELATION_ID), headers);
        int code = status instanceof Integer known ? known : 404;
        return request.getAttribute(ProblemResponses.ERROR) instanceof String error
                ? problem(request, headers, Problem.of(code, error, correlationId))
                : problem(request, headers, Problem.of(code, correlationId));
    }

    private ResponseEntity<Object> problem(HttpServletRequest request, HttpHeaders headers, Problem problem) {
        ErrorFormat.Rendered rendered = problems.render(request, problem);
        return ResponseEntity.status(problem.status())
                .headers(headers)
                .contentType(MediaType.parseMediaType(rendered.mediaType()))
                .body(rendered.body());
    }
}
