package routes.platform.fhir;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.util.unit.DataSize;

/** Settings with short time limits, for servers of a test. */
public final class TestFhirSettings {

    public static final Duration CONNECT = Duration.ofMillis(500);
    public static final Duration RESPONSE = Duration.ofSeconds(1);
    public static final int REQUESTS = 2;
    public static final int OWN_CALLS = 2;
    public static final DataSize OWN_ANSWER = DataSize.ofKilobytes(64);

    private TestFhirSettings() {}

    /** The server of the tenant {@code default}, without credentials. */
    public static FhirSettings of(URI server) {
        return of(Map.of("default", new FhirSettings.Server(server, null, null, null)));
    }

    public static FhirSettings of(Map<String, FhirSettings.Server> servers) {
        return new FhirSettings(
                servers,
                null,
                CONNECT,
                RESPONSE,
                DataSize.ofMegabytes(1),
                DataSize.ofMegabytes(4),
                REQUESTS,
                OWN_CALLS,
                OWN_ANSWER,
                List.of("$validate"));
    }

    /** What is known about the servers of the settings: nothing yet. */
    public static FhirServerStates states(FhirSettings settings, MeterRegistry meters) {
        return new FhirServerStates(settings, meters);
    }
}
