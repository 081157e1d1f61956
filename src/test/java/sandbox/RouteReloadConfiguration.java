package sandbox;

import java.nio.file.Path;
import org.apache.camel.CamelContext;
import org.apache.camel.spring.boot.CamelContextConfiguration;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Watches the route files of the sandbox, see {@link RouteReload}. */
@Configuration(proxyBeanMethods = false)
class RouteReloadConfiguration {

    @Bean
    RequestPause requestPause() {
        return new RequestPause();
    }

    @Bean
    CamelContextConfiguration routeReload(
            @Value("${sandbox.routes:src/main/resources/camel}") Path routes, RequestPause requests) {
        return new CamelContextConfiguration() {
            @Override
            public void beforeApplicationStart(CamelContext context) {
                try {
                    context.addService(new RouteReload(routes, requests));
                } catch (Exception e) {
                    throw new IllegalStateException("The route files in " + routes + " cannot be watched", e);
                }
            }

            @Override
            public void afterApplicationStart(CamelContext context) {}
        };
    }
}
