package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;
import routes.Requests;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

class BulkheadTest {

    private final RejectionCounter rejections = new RejectionCounter(new SimpleMeterRegistry());
    private final HttpLimits limits =
            new HttpLimits(DataSize.ofMegabytes(1), Duration.ofSeconds(1), 8, 1, 1, 0.75, 1, 1);
    private final WaitingRequestLimiter waiting =
            new WaitingRequestLimiter(limits, new ClientBulkhead(), rejections, 16);
    private final Bulkhead bulkhead = new Bulkhead(
            "fhir", 4, limits.shareOfATenant(4), "too many", "too many of the tenant", waiting, rejections);

    @Test
    void leavesPermitsToOtherTenants() throws Exception {
        for (int i = 0; i < 3; i++) {
            bulkhead.enter(requestOf("clinic"));
        }

        assertRejected("clinic", "too many of the tenant, try again");
        bulkhead.enter(requestOf("hospital"));
        assertRejected("hospital", "too many, try again");
    }

    @Test
    void releasesThePermitsWithTheAnswer() throws Exception {
        Exchange first = requestOf("clinic");
        for (Exchange request : List.of(first, requestOf("clinic"), requestOf("clinic"))) {
            bulkhead.enter(request);
        }

        UnitOfWorkHelper.doneSynchronizations(
                first, first.getExchangeExtension().handoverCompletions());

        assertThatCode(() -> bulkhead.enter(requestOf("clinic"))).doesNotThrowAnyException();
    }

    private void assertRejected(String tenant, String error) {
        assertThatThrownBy(() -> bulkhead.enter(requestOf(tenant)))
                .isInstanceOfSatisfying(ProblemException.class, problem -> assertThat(problem.status())
                        .isEqualTo(503))
                .hasMessage(error);
    }

    private static Exchange requestOf(String tenant) {
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        Requests.get(new Caller("ann", tenant, tenant, null, Set.of(), Set.of()))
                .bindTo(exchange);
        return exchange;
    }
}
