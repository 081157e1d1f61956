package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.Collections;
import java.util.Enumeration;
import java.util.Map;

/**
 * Shows a request as everything behind {@link RequestFilter} sees it: path normalized, body unread, HEAD as GET. Tomcat
 * remembers the HEAD and sends no body.
 */
final class NormalizedRequest extends HttpServletRequestWrapper {

    private final String path;
    private final String method;

    /** @param path {@link RequestPath#normal} */
    NormalizedRequest(HttpServletRequest request, String path) {
        super(request);
        this.path = path;
        this.method = switch (request.getMethod()) {
            case "HEAD" -> "GET";
            // no handler has this method; for TRACE the servlet would echo the request with its token
            case "TRACE" -> "trace";
            default -> request.getMethod();
        };
    }

    @Override
    public String getMethod() {
        return method;
    }

    @Override
    public String getRequestURI() {
        return path;
    }

    @Override
    public StringBuffer getRequestURL() {
        StringBuffer url = super.getRequestURL();
        return url.replace(url.length() - super.getRequestURI().length(), url.length(), path);
    }

    /** Hides the parameters: to list them, Tomcat would read a form from the body, which belongs to the route. */
    @Override
    public Map<String, String[]> getParameterMap() {
        return Map.of();
    }

    @Override
    public Enumeration<String> getParameterNames() {
        return Collections.emptyEnumeration();
    }

    @Override
    public String[] getParameterValues(String name) {
        return null;
    }

    @Override
    public String getParameter(String name) {
        return null;
    }

    @Override
    public BufferedReader getReader() throws IOException {
        return new RequestBody(getInputStream());
    }
}
