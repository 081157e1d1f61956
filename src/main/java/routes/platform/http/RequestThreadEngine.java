package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.component.platform.http.springboot.SpringBootPlatformHttpConsumer;
import org.apache.camel.component.platform.http.springboot.SpringBootPlatformHttpEngine;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.HandlerMapping;

/**
 * Requests are routed on the thread that Tomcat gives them. Camel's default hands them to another pool; when a caller goes away,
 * Tomcat then reuses the request and response objects that the other thread is still working with.
 */
@Component("platform-http-engine")
class RequestThreadEngine extends SpringBootPlatformHttpEngine {

    RequestThreadEngine(@Value("${server.port}") int port) {
        super(port);
    }

    @Override
    public PlatformHttpConsumer createConsumer(PlatformHttpEndpoint endpoint, Processor processor) {
        // or Spring would give Camel whatever begins as a path of the contract, and Camel answers without a word
        endpoint.setMatchOnUriPrefix(false);
        return new SpringBootPlatformHttpConsumer(endpoint, processor, Runnable::run) {
            @Override
            public CompletableFuture<Void> service(HttpServletRequest request, HttpServletResponse response) {
                super.service(new ForCamel(request), response);
                // answered: a future, even one that is done, would have the server dispatch the request a second time
                return null;
            }
        };
    }

    /** Camel would take the id {@code Summary} for the path of another operation. */
    private static final class ForCamel extends HttpServletRequestWrapper {

        private final String path;

        ForCamel(HttpServletRequest request) {
            super(request);
            path = RequestPath.withUnmistakableIds(
                    request.getRequestURI(),
                    request.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE)
                            .toString());
        }

        @Override
        public String getRequestURI() {
            return path;
        }
    }
}
