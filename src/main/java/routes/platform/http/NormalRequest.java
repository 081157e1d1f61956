package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.BufferedReader;
import java.io.IOException;

/**
 * A request as everything behind {@link RequestFilter} sees it: its path in one spelling, its body unread, HEAD as the GET that it asks about.
 * Tomcat knows that it was HEAD, and sends no body.
 */
final class NormalRequest extends HttpServletRequestWrapper {

    private final String path;
    private final String method;

    /** @param path {@link RequestPath#normal} */
    NormalRequest(HttpServletRequest request, String path) {
        super(request);
        this.path = path;
        this.method = switch (request.getMethod()) {
            case "HEAD" -> "GET";
            // a method that nothing has: the servlet would repeat the request, with its token
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
