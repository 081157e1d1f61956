package routes.fhir;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.Test;
import org.springframework.util.unit.DataSize;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirSettings;
import routes.platform.http.HttpLimits;

class BodyBudgetTest {

    private static final int MEGABYTE = 1 << 20;
    private static final String OF_TENANT = "this tenant has too many large requests in flight, try again";
    private static final String OF_ALL = "too many large requests are in flight, try again";

    private final BodyBudget budget = budget(8);

    private static BodyBudget budget(int maxBody) {
        return new BodyBudget(
                new FhirSettings(
                        Map.of("clinic", new FhirSettings.Server(URI.create("http://fhir"), null, null, null)),
                        null,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        DataSize.ofMegabytes(maxBody),
                        DataSize.ofMegabytes(16),
                        8,
                        4,
                        DataSize.ofMegabytes(1),
                        List.of()),
                new HttpLimits(DataSize.ofMegabytes(1), Duration.ofSeconds(1), 8, 1, 1, 0.75, 1, 1));
    }

    @Test
    void leavesBytesToOtherTenants() {
        budget.reserve(8 * MEGABYTE, "clinic", exchange());
        budget.reserve(4 * MEGABYTE, "clinic", exchange());

        assertRefused(1, "clinic", OF_TENANT);
        budget.reserve(4 * MEGABYTE, "hospital", exchange());
        assertRefused(1, "hospital", OF_ALL);
    }

    @Test
    void givesBackWhatABodyDoesNotNeed() {
        BodyBudget.Reservation reservation = budget.reserve(8 * MEGABYTE, "clinic", exchange());
        reservation.shrinkTo(100);
        budget.reserve(8 * MEGABYTE, "clinic", exchange());

        assertRefused(4 * MEGABYTE, "clinic", OF_TENANT);
        budget.reserve(4 * MEGABYTE - 1024, "clinic", exchange());
    }

    @Test
    void givesBackEverythingWithTheAnswer() {
        Exchange answered = exchange();
        budget.reserve(8 * MEGABYTE, "clinic", answered).shrinkTo(5 * MEGABYTE);
        budget.reserve(4 * MEGABYTE, "clinic", exchange());
        UnitOfWorkHelper.doneSynchronizations(
                answered, answered.getExchangeExtension().handoverCompletions());

        assertThatCode(() -> budget.reserve(8 * MEGABYTE, "clinic", exchange())).doesNotThrowAnyException();
        assertRefused(1, "clinic", OF_TENANT);
    }

    @Test
    void holdsNothingOfARefusedBody() {
        budget.reserve(8 * MEGABYTE, "clinic", exchange());
        budget.reserve(8 * MEGABYTE, "hospital", exchange());
        for (int i = 0; i < 3; i++) {
            assertRefused(4 * MEGABYTE, "clinic", OF_ALL);
        }
    }

    @Test
    void takesTheLargestBodyWhateverTheShare() {
        BodyBudget narrow = budget(16);
        assertThatCode(() -> narrow.reserve(16 * MEGABYTE, "clinic", exchange()))
                .doesNotThrowAnyException();
    }

    private void assertRefused(long bytes, String tenant, String error) {
        assertThatThrownBy(() -> budget.reserve(bytes, tenant, exchange()))
                .isInstanceOf(ProblemException.class)
                .hasMessage(error);
    }

    private static Exchange exchange() {
        return new DefaultExchange(new DefaultCamelContext());
    }
}
