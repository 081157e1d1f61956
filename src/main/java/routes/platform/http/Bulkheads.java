package routes.platform.http;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Makes one bulkhead for each dependency that requests wait for; all patterns share it. */
@Configuration(proxyBeanMethods = false)
class Bulkheads {

    @Bean
    Bulkhead brokerBulkhead(HttpLimits limits, WaitingRequestLimiter waiting, RejectionCounter rejections) {
        return new Bulkhead(
                "publishing",
                limits.maxPublishing(),
                limits.maxPublishing(),
                "too many requests wait for the broker",
                "too many requests wait for the broker",
                waiting,
                rejections);
    }

    /** Leaves permits to other tenants while the server of one does not answer. */
    @Bean
    Bulkhead fhirBulkhead(
            @Value("${event-broker.fhir.max-requests}") int maxRequests,
            HttpLimits limits,
            WaitingRequestLimiter waiting,
            RejectionCounter rejections) {
        return new Bulkhead(
                "fhir",
                maxRequests,
                limits.shareOfATenant(maxRequests),
                "too many requests wait for a FHIR server",
                "too many requests of this tenant wait for its FHIR server",
                waiting,
                rejections);
    }
}
