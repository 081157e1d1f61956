package routes.platform.health;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.springframework.boot.actuate.health.Status;

class RoutesHealthTest {

    @Test
    void isUpOnlyWhenAllRoutesRun() throws Exception {
        try (CamelContext camel = new DefaultCamelContext()) {
            RoutesHealth health = new RoutesHealth(camel);
            assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);

            camel.start();
            assertThat(health.health().getStatus()).as("without routes").isEqualTo(Status.DOWN);

            camel.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    from("direct:runs").routeId("runs").to("mock:end");
                    from("direct:is-off").routeId("is-off").autoStartup(false).to("mock:end");
                }
            });
            assertThat(health.health().getStatus()).isEqualTo(Status.UP);

            camel.getRouteController().stopRoute("runs");
            assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
            assertThat(health.health().getDetails()).extractingByKey("stopped").hasToString("[runs]");
        }
    }
}
