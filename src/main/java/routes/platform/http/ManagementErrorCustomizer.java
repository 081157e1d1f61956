package routes.platform.http;

import java.util.Set;
import org.springframework.boot.actuate.autoconfigure.web.server.ConditionalOnManagementPort;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;

/**
 * Renders errors of the management port as problems; its default error page would echo the path. That server has its
 * own application context, which finds this class through {@code META-INF/spring}.
 */
@ConditionalOnManagementPort(ManagementPortType.DIFFERENT)
class ManagementErrorCustomizer implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    private final ProblemResponses problems;

    ManagementErrorCustomizer(ProblemResponses problems) {
        this.problems = problems;
    }

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        new TomcatErrorCustomizer(problems).customize(factory);
        factory.setErrorPages(Set.of());
    }
}
