package routes.platform.http;

import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.stereotype.Component;

/** Lets paths with an encoded slash or backslash, and every method, reach {@link RequestFilter}. */
@Component
class TomcatPathCustomizer implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        factory.addConnectorCustomizers(connector -> {
            // keeps them encoded: decoded, an id would become two path segments
            connector.setEncodedSolidusHandling("passthrough");
            connector.setEncodedReverseSolidusHandling("passthrough");
            // Tomcat's own 405 has no body and lists methods that the path does not have
            connector.setAllowTrace(true);
        });
    }
}
