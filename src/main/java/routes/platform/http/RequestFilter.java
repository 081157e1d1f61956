package routes.platform.http;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.util.Collections;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.security.authentication.AuthenticationServiceException;
import org.springframework.stereotype.Component;
import org.springframework.web.cors.CorsUtils;
import org.springframework.web.filter.OncePerRequestFilter;
import routes.platform.error.FailureClassifier;

/**
 * Runs before all other filters: sets the correlation id, on the response and in the log too, normalizes the path, and
 * rejects requests that no handler could take.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
class RequestFilter extends OncePerRequestFilter {

    /** Request attribute. */
    static final String CORRELATION_ID = RequestFilter.class.getName() + ".correlationId";

    /** Request attribute: {@link RequestPath#normal}. */
    static final String PATH = RequestFilter.class.getName() + ".path";

    private static final Logger LOG = LoggerFactory.getLogger(RequestFilter.class);

    private final ProblemResponses problems;
    private final FailureClassifier failures;

    RequestFilter(ProblemResponses problems, FailureClassifier failures) {
        this.problems = problems;
        this.failures = failures;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Optional<String> sent = CorrelationId.of(request.getHeader(CorrelationId.HEADER));
        String correlationId = sent.orElseGet(CorrelationId::create);
        response.setHeader(CorrelationId.HEADER, correlationId);
        if (sent.isEmpty()) {
            problems.reject(request, response, 400, "header X-Correlation-Id is malformed", correlationId);
            return;
        }
        String path = RequestPath.normal(request.getRequestURI());
        if (!RequestPath.canBeServed(path)) {
            problems.reject(request, response, 404, "no such resource", correlationId);
            return;
        }
        if (request.getQueryString() != null && request.getQueryString().indexOf('|') >= 0 && !FhirPath.isFhir(path)) {
            problems.reject(request, response, 400, "the query is not percent-encoded", correlationId);
            return;
        }
        if (CorsUtils.isPreFlightRequest(request)) {
            problems.reject(request, response, 403, "pages of other origins may not call", correlationId);
            return;
        }
        if (isEncoded(request)) {
            response.setHeader(HttpHeaders.ACCEPT_ENCODING, "identity");
            problems.reject(request, response, 415, "header Content-Encoding must be absent", correlationId);
            return;
        }
        if (isForm(request) && !isFhirSearch(request, path)) {
            problems.reject(request, response, 415, "forms are not accepted", correlationId);
            return;
        }
        request.setAttribute(CORRELATION_ID, correlationId);
        request.setAttribute(PATH, path);
        MDC.put(CorrelationId.PROPERTY, correlationId);
        try {
            chain.doFilter(new NormalizedRequest(request, path), new WithoutEmptyHeaders(response));
        } catch (AuthenticationServiceException e) {
            // the issuer's keys are not available
            LOG.warn("answered 503: the keys of the token issuer are not available: {}", failures.describe(e));
            problems.reject(request, response, 503, "the token cannot be checked now, try again", correlationId);
        } finally {
            MDC.remove(CorrelationId.PROPERTY);
        }
    }

    /** No operation decodes a body. */
    private static boolean isEncoded(HttpServletRequest request) {
        return Collections.list(request.getHeaders(HttpHeaders.CONTENT_ENCODING)).stream()
                .anyMatch(encoding -> !encoding.equalsIgnoreCase("identity"));
    }

    /** No operation takes a form, and Camel would turn every field into a message header. */
    private static boolean isForm(HttpServletRequest request) {
        String type =
                request.getContentType() == null ? "" : request.getContentType().toLowerCase(Locale.ROOT);
        return type.startsWith("application/x-www-form-urlencoded") || type.startsWith("multipart/");
    }

    /** FHIR searches by form, so that identifiers stay out of URLs; the FHIR facade reads the form as bytes. */
    private static boolean isFhirSearch(HttpServletRequest request, String path) {
        return request.getMethod().equals("POST") && FhirPath.isFhir(path) && path.endsWith("/_search");
    }

    /** Drops the empty {@code Accept-Patch} with which Spring announces PATCH. */
    private static final class WithoutEmptyHeaders extends HttpServletResponseWrapper {

        WithoutEmptyHeaders(HttpServletResponse response) {
            super(response);
        }

        @Override
        public void addHeader(String name, String value) {
            if (!value.isEmpty()) {
                super.addHeader(name, value);
            }
        }
    }
}
