package routes.pubsub;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.CamelContext;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.TestPropertySource;
import routes.RuntimeIT;

@TestPropertySource(properties = "event-broker.pubsub.enabled=false")
@DirtiesContext
class PubsubOffIT extends RuntimeIT {

    @Autowired
    private CamelContext camel;

    @Test
    void answers404AndConsumesNothingAndIsReady() {
        assertThat(get("/api/pharmacy-orders").statusCode()).isEqualTo(404);
        assertThat(post("/api/topics/medication.prescription.created/events", "application/json", "{}")
                        .statusCode())
                .isEqualTo(404);
        assertThat(camel.getRoutes())
                .filteredOn(route -> route.getEndpoint().getEndpointUri().startsWith("kafka:"))
                .isNotEmpty()
                .allSatisfy(route -> assertThat(camel.getRouteController()
                                .getRouteStatus(route.getRouteId())
                                .isStarted())
                        .isFalse());
        assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
    }
}
