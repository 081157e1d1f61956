package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.spi.Registry;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.RouteFile;
import routes.RouteTest;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

/** The routes of the FHIR facade: what happens in which order, and what a failure of each step means. */
@RouteFile(
        value = "fhir",
        routes = {"fhir-serve", "fhir-read", "fhir-write"},
        sinks = {})
class FhirRouteTest extends RouteTest {

    private final List<String> steps = new ArrayList<>();
    private boolean isWrite;
    private RuntimeException failure;
    private String failingStep = "";

    @Override
    protected void bind(Registry registry) {
        registry.bind("fhirRequestReader", new Reader());
        registry.bind("fhirAccess", new Access());
        registry.bind("deletesByQuery", new Deletes());
        registry.bind("fhirIntents", new Intents());
        registry.bind("fhirServer", new Server());
    }

    @Test
    void passesAReadWithoutAnIntent() {
        request();
        assertThat(steps).containsExactly("read request", "check", "read");
    }

    @Test
    void storesTheIntentBeforeItSendsAWrite() {
        isWrite = true;
        request();
        assertThat(steps).containsExactly("read request", "check", "find", "store", "write", "note");
    }

    @Test
    void sendsNothingOfARefusedRequest() {
        isWrite = true;
        fail("check", new ProblemException(403, "the token has no scope system/Patient.c"));
        assertThat(status(request())).isEqualTo(403);
        assertThat(steps).containsExactly("read request", "check");
    }

    @Test
    void sendsNothingWithoutAStoredIntent() {
        isWrite = true;
        fail("store", new DataAccessResourceFailureException("down"));
        assertThat(status(request())).isEqualTo(503);
        assertThat(steps).containsExactly("read request", "check", "find", "store");
    }

    @Test
    void notesNothingOfAWriteWithoutAnAnswer() {
        isWrite = true;
        fail("write", ProblemException.temporary(504, "the FHIR server did not answer in time"));
        Exchange answer = request();
        assertThat(status(answer)).isEqualTo(504);
        assertThat(answer.getMessage().getHeader("Retry-After")).isNotNull();
        assertThat(steps).containsExactly("read request", "check", "find", "store", "write");
    }

    private void fail(String step, RuntimeException how) {
        failingStep = step;
        failure = how;
    }

    private Exchange request() {
        return template.request(
                "platform-http:/fhir?httpMethodRestrict=GET,POST,PUT,PATCH,DELETE&matchOnUriPrefix=true&populateBodyWithForm=false",
                exchange -> {});
    }

    private static int status(Exchange answer) {
        return answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    }

    private void step(String name) {
        steps.add(name);
        if (name.equals(failingStep)) {
            throw failure;
        }
    }

    public class Reader {
        public void read(Exchange exchange) {
            step("read request");
            new HttpRequest(CALLER, "c", "r", Optional.empty(), "PUT", "/fhir/Patient/1", Map.of(), Map.of(), "")
                    .bindTo(exchange);
            new FhirRequest(
                            CALLER,
                            "c",
                            "r",
                            "0123456789abcdef",
                            "PUT",
                            "Patient/1",
                            null,
                            Map.of(),
                            new byte[0],
                            FhirFormat.JSON,
                            false,
                            "http://facade/fhir",
                            List.of(new FhirInteraction("PUT", "Patient", "1", isWrite, Set.of())))
                    .bindTo(exchange);
        }
    }

    public class Access {
        public void check(Exchange exchange) {
            step("check");
        }
    }

    public class Deletes {
        public void find(Exchange exchange) {
            step("find");
        }
    }

    public class Intents {
        public void store(Exchange exchange) {
            step("store");
        }

        public void noteOutcome(Exchange exchange) {
            step("note");
        }
    }

    public class Server {
        public void read(Exchange exchange) {
            step("read");
        }

        public void write(Exchange exchange) {
            step("write");
        }
    }
}
