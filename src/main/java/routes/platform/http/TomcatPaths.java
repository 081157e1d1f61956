package routes.platform.http;

import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.stereotype.Component;

/** Lets ids with a slash or a backslash be asked for, encoded, and every method come to {@link RequestFilter}. */
@Component
class TomcatPaths implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        factory.addConnectorCustomizers(connector -> {
            // stay encoded, or an id would be two parts of a path
            connector.setEncodedSolidusHandling("passthrough");
            connector.setEncodedReverseSolidusHandling("passthrough");
            // Tomcat's own refusal has no body, and allows methods that the path does not have
            connector.setAllowTrace(true);
        });
    }
}
