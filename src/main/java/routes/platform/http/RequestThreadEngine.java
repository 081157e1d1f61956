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
 * Routes requests on their Tomcat thread. Camel's default passes them to another pool. When a caller disconnects,
 * Tomcat then reuses the request and response objects while that pool still works with them.
 */
@Component("platform-http-engine")
class RequestThreadEngine extends SpringBootPlatformHttpEngine {

    RequestThreadEngine(@Value("${server.port}") int port) {
        super(port);
    }

    @Override
    public PlatformHttpConsumer createConsumer(PlatformHttpEndpoint endpoint, Processor processor) {
        if (!endpoint.getPath().equals(FhirPath.ROOT)) {
            // with prefixes, Camel would answer every path below a path of the contract, with an empty body
            endpoint.setMatchOnUriPrefix(false);
        }
        return new SpringBootPlatformHttpConsumer(endpoint, processor, Runnable::run) {
            @Override
            public CompletableFuture<Void> service(HttpServletRequest request, HttpServletResponse response) {
                super.service(new CamelRequest(request), response);
                // the request is answered; a future, even a completed one, makes the server dispatch it again
                return null;
            }
        };
    }

    /** Shows Camel a path in which no id equals a fixed segment. */
    private static final class CamelRequest extends HttpServletRequestWrapper {

        private final String path;

        CamelRequest(HttpServletRequest request) {
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
