package routes.platform.http;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.web.servlet.error.ErrorController;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.RequestAttributes;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** The errors that never reach Camel (no such path, method not allowed) look like all the others. */
@RestControllerAdvice
@RestController
class ApiErrors extends ResponseEntityExceptionHandler implements ErrorController {

    @Override
    protected ResponseEntity<Object> handleExceptionInternal(
            Exception ex, Object body, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        String correlationId =
                (String) request.getAttribute(RequestFilter.CORRELATION_ID, RequestAttributes.SCOPE_REQUEST);
        return problem(headers, Problem.of(status.value(), correlationId));
    }

    @RequestMapping("${server.error.path:/error}")
    ResponseEntity<Object> error(HttpServletRequest request) {
        Object status = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
        String correlationId = (String) request.getAttribute(RequestFilter.CORRELATION_ID);
        HttpHeaders headers = new HttpHeaders();
        if (correlationId == null) {
            // refused by Tomcat before the filter saw it
            correlationId = CorrelationId.create();
            headers.set(CorrelationId.HEADER, correlationId);
        }
        int code = status instanceof Integer known ? known : 404;
        return request.getAttribute(Problems.ERROR) instanceof String error
                ? problem(headers, Problem.of(code, error, correlationId))
                : problem(headers, Problem.of(code, correlationId));
    }

    private static ResponseEntity<Object> problem(HttpHeaders headers, Problem problem) {
        return ResponseEntity.status(problem.status())
                .headers(headers)
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(problem);
    }
}
