package routes.platform.http;

import java.util.Set;
import org.springframework.boot.actuate.autoconfigure.web.server.ConditionalOnManagementPort;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;

/**
 * The errors of the management port look like all the others. Its server has a context of its own, which has this from
 * {@code META-INF/spring}, and sees none of our other beans; its own error page repeats the path.
 */
@ConditionalOnManagementPort(ManagementPortType.DIFFERENT)
class ManagementErrors implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        new TomcatErrors().customize(factory);
        factory.setErrorPages(Set.of());
    }
}
