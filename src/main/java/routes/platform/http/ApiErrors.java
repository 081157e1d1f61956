package routes.platform.http;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import org.springframework.boot.web.servlet.error.ErrorController;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
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
        return problem(status.value(), headers, correlationId);
    }

    /** All request threads are taken, and enough requests wait already. */
    @ExceptionHandler(RejectedExecutionException.class)
    ResponseEntity<Object> overloaded(HttpServletRequest request) {
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.RETRY_AFTER, "1");
        return problem(429, headers, (String) request.getAttribute(RequestFilter.CORRELATION_ID));
    }

    @RequestMapping("${server.error.path:/error}")
    ResponseEntity<Object> error(HttpServletRequest request) {
        Object status = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
        return problem(status instanceof Integer code ? code : 404, new HttpHeaders(), (String)
                request.getAttribute(RequestFilter.CORRELATION_ID));
    }

    private static ResponseEntity<Object> problem(int status, HttpHeaders headers, String correlationId) {
        HttpStatus known = HttpStatus.resolve(status);
        String error = known == HttpStatus.NOT_FOUND
                ? "no such resource"
                : known == null ? "error" : known.getReasonPhrase().toLowerCase(Locale.ROOT);
        return ResponseEntity.status(status)
                .headers(headers)
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(Problem.of(status, error, correlationId));
    }
}
