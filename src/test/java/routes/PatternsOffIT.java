package routes;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.CamelContext;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.TestPropertySource;

@TestPropertySource(
        properties = {
            "event-broker.pubsub.enabled=false",
            "event-broker.cqrs.enabled=false",
            "event-broker.eventsourcing.enabled=false",
            "event-broker.fhir.enabled=false",
            "event-broker.deadletter.enabled=false"
        })
@DirtiesContext
class PatternsOffIT extends RuntimeIT {

    @Autowired
    private CamelContext camel;

    @Test
    void isReadyAnswers404AndConsumesNothing() {
        assertThat(get("/api/pharmacy-orders").statusCode()).isEqualTo(404);
        assertThat(post("/api/topics/medication.prescription.created/events", "application/json", "{}")
                        .statusCode())
                .isEqualTo(404);
        assertThat(post("/api/patients/p/events", "application/json", "{}").statusCode())
                .isEqualTo(404);
        assertThat(get("/api/prescriptions").statusCode()).isEqualTo(404);
        assertThat(post("/api/prescriptions", "application/json", "{}").statusCode())
                .isEqualTo(404);
        assertThat(get("/api/dead-letters").statusCode()).isEqualTo(404);
        assertThat(get("/api/projections/patient-view").statusCode()).isEqualTo(404);
        assertThat(post("/api/dead-letters/reprocess", "application/json", "{}").statusCode())
                .isEqualTo(404);
        assertThat(get("/fhir/Patient/1").statusCode()).isEqualTo(404);
        assertThat(camel.getRoutes())
                .filteredOn(route -> route.getEndpoint().getEndpointUri().matches("(kafka|scheduler):.*"))
                .hasSizeGreaterThan(2)
                .allSatisfy(route -> assertThat(camel.getRouteController()
                                .getRouteStatus(route.getRouteId())
                                .isStarted())
                        .isFalse());
        assertThat(management("/observe/health/ready").statusCode()).isEqualTo(200);
    }
}
