package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.BufferedReader;
import java.io.IOException;

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

    @Override
    public BufferedReader getReader() throws IOException {
        return new RequestBody(getInputStream());
    }
}
