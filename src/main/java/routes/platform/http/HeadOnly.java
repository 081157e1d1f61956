package routes.platform.http;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import org.apache.camel.Exchange;

/** Tells a HEAD from a GET, which it is everywhere else: for an answer whose head is known without its body. */
public final class HeadOnly {

    private HeadOnly() {}

    public static boolean isAskedFor(Exchange exchange) {
        ServletRequest request = exchange.getProperty(ProblemResponses.SERVLET_REQUEST, ServletRequest.class);
        while (request instanceof ServletRequestWrapper wrapper) {
            request = wrapper.getRequest();
        }
        return request instanceof HttpServletRequest sent && sent.getMethod().equals("HEAD");
    }
}
