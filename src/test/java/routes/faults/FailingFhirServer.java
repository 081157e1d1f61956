package routes.faults;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.support.EventNotifierSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;
import routes.RawHttp;
import routes.RuntimeIT;
import routes.SignedTokens;

/**
 * Runs the runtime beside a FHIR server that fails. The tenant {@code default} has the real server, the tenant
 * {@code broken} a double. After each test it searches for the canary in the log, whose levels are as low as they can
 * be, in the exceptions and the threads; at the end in the metrics, the health page and the tables.
 */
@TestPropertySource(
        properties = {
            "event-broker.fhir.response-timeout=3s",
            "event-broker.fhir.connect-timeout=1s",
            "event-broker.fhir.max-body=1MB",
            // an operator who looks for the reason of a failure
            "logging.level.routes=trace",
            "logging.level.routes.platform.fhir=trace",
            "logging.level.org.apache.http=trace",
            "logging.level.org.apache.http.wire=trace",
            "logging.level.ca.uhn.fhir=trace",
            "logging.level.org.apache.camel.support.component=trace"
        })
@ExtendWith(OutputCaptureExtension.class)
@DirtiesContext
abstract class FailingFhirServer extends RuntimeIT {

    static final String FHIR_JSON = "application/fhir+json";
    static final String FHIR_XML = "application/fhir+xml";
    static final String ALL = "system/*.cruds";
    static final Duration LIMIT = Duration.ofSeconds(3);

    /** Runs until the end of the JVM, as the cached context does. */
    static final FhirDouble DOUBLE = newDouble();

    /** Another tenant of the double, whose server only one test lets fail. */
    static final String ASKED = "asked";

    private static final SignedTokens SIGNED = new SignedTokens(SERVERS);

    final String id = "p-" + UUID.randomUUID();

    @Autowired
    CamelContext camel;

    private final Exceptions exceptions = new Exceptions();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    /** The last test, whose runtime is still there after it. */
    private static FailingFhirServer runtime;

    private static FhirDouble newDouble() {
        try {
            return new FhirDouble();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @DynamicPropertySource
    static void brokenServer(DynamicPropertyRegistry registry) {
        registry.add("event-broker.fhir.servers.broken.url", DOUBLE::url);
        registry.add("event-broker.fhir.servers." + ASKED + ".url", DOUBLE::url);
    }

    @BeforeEach
    void collectExceptions() {
        exceptions.start();
        camel.getManagementStrategy().addEventNotifier(exceptions);
        runtime = this;
        log.start();
        root().addAppender(log);
    }

    @AfterEach
    void findNoPatient(CapturedOutput output) {
        camel.getManagementStrategy().removeEventNotifier(exceptions);
        root().detachAppender(log);
        Canary.requireNoneIn("the log", output.getAll());
        List.copyOf(log.list)
                .forEach(event -> Canary.requireNoneIn(
                        "the context of a log line", event.getThreadName() + event.getMDCPropertyMap()));
        exceptions.thrown.forEach(thrown -> Canary.requireNoneIn("an exception", thrown));
        Thread.getAllStackTraces()
                .keySet()
                .forEach(thread -> Canary.requireNoneIn("the name of a thread", thread.getName()));
    }

    /** Once, because it takes long: nothing of these goes away by itself. */
    @AfterAll
    static void findNoPatientInWhatStays() {
        for (String page : List.of("metrics", "health", "health/ready", "health/live", "info")) {
            Canary.requireNoneIn(page, runtime.management("/observe/" + page).body());
        }
        Canary.requireNoneIn(runtime.jdbc);
    }

    private static Logger root() {
        return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }

    /** The exceptions of the routes so far, with their causes. */
    List<String> exceptions() {
        return exceptions.thrown;
    }

    /** Begins a request of the user {@code ann}. */
    HttpRequest.Builder call(String tenant, String scope, String path) {
        return HttpRequest.newBuilder(uri(path)).header("Authorization", authorization(tenant, scope));
    }

    static String authorization(String tenant, String scope) {
        return SIGNED.of("ann", tenant, scope.split(" "));
    }

    /** Requires an error of the runtime's own that says nothing about the server and the patient. */
    static void requireOutcome(RawHttp.Answer answer, int status) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.head()).contains("\r\nX-Correlation-Id: ", "\r\nContent-Type: " + FHIR_JSON);
        requireOutcome(answer.body());
        Canary.requireNoneIn("the head of the answer", answer.head());
    }

    static void requireTemporary(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        HttpHeaders headers = answer.headers();
        assertThat(headers.firstValue("Retry-After")).isPresent();
        assertThat(headers.firstValue("X-Correlation-Id")).isPresent();
        assertThat(headers.firstValue("Content-Type").orElseThrow()).startsWith(FHIR_JSON);
        requireOutcome(answer.body());
        Canary.requireNoneIn("the headers of the answer", headers.map().toString());
    }

    static void requireOutcome(String body) {
        JsonNode outcome = json(body);
        assertThat(outcome.path("resourceType").asText()).isEqualTo("OperationOutcome");
        assertThat(outcome.at("/issue/0/severity").asText()).isEqualTo("error");
        assertThat(outcome.at("/issue/0/diagnostics").asText()).isNotEmpty();
        assertThat(body).doesNotContain(DOUBLE.url(), "Exception");
        Canary.requireNoneIn("the body of the answer", body);
    }

    private static final class Exceptions extends EventNotifierSupport {

        private final List<String> thrown = new CopyOnWriteArrayList<>();

        @Override
        public void notify(CamelEvent event) {
            Throwable cause = event instanceof CamelEvent.ExchangeFailureEvent failure
                    ? failure.getExchange()
                            .getProperty(
                                    org.apache.camel.Exchange.EXCEPTION_CAUGHT,
                                    failure.getExchange().getException(),
                                    Throwable.class)
                    : null;
            for (; cause != null; cause = cause.getCause()) {
                thrown.add(cause.toString());
            }
        }
    }
}
