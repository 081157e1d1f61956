package routes.platform.fhir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.URI;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import routes.platform.fhir.FhirSettings.Server;

class FhirSettingsTest {

    private static final URI URL = URI.create("https://fhir.example:8443/r4/fhir");
    private static final String SECRET = "canary-secret";

    @Test
    void acceptsAServerWithoutAndWithCredentials() {
        Map<String, Server> servers = Map.of(
                "default", new Server(URL, null, null, null),
                "basic", new Server(URL, "broker", SECRET, null),
                "token", new Server(URI.create("http://localhost:8090"), null, null, SECRET));

        assertThatCode(() -> TestFhirSettings.of(servers).check()).doesNotThrowAnyException();
    }

    static Stream<Arguments> namesTheWrongPropertyOfAServer() {
        return Stream.of(
                Arguments.of("url", new Server(null, null, null, null)),
                Arguments.of("url", new Server(URI.create("/fhir"), null, null, null)),
                Arguments.of("url", new Server(URI.create("ftp://fhir.example/fhir"), null, null, null)),
                Arguments.of("url", new Server(URI.create("http:fhir"), null, null, null)),
                Arguments.of("url", new Server(URI.create("http://fhir.example/fhir/"), null, null, null)),
                Arguments.of("url", new Server(URI.create("http://fhir.example/fhir?key=" + SECRET), null, null, null)),
                Arguments.of("url", new Server(URI.create("http://fhir.example/fhir#a"), null, null, null)),
                Arguments.of(
                        "url",
                        new Server(URI.create("http://broker:" + SECRET + "@fhir.example/r4"), null, null, null)),
                Arguments.of("bearer-token", new Server(URL, "broker", SECRET, SECRET)),
                Arguments.of("bearer-token", new Server(URL, null, null, SECRET + "\r\nHost: other")),
                Arguments.of("username", new Server(URL, "bro:ker", SECRET, null)),
                Arguments.of("username", new Server(URL, "broker\n", SECRET, null)),
                Arguments.of("password", new Server(URL, null, SECRET, null)));
    }

    @ParameterizedTest
    @MethodSource
    void namesTheWrongPropertyOfAServer(String property, Server server) {
        assertThat(startWith(TestFhirSettings.of(Map.of("default", server))))
                .startsWith("Invalid property event-broker.fhir.servers.default." + property + ": ")
                .doesNotContain(SECRET);
    }

    @ParameterizedTest
    @CsvSource({
        "connect-timeout, 0s",
        "response-timeout, 0s",
        "response-timeout, 500ms",
        "max-body, 0B",
        "max-bytes, 1KB",
        "max-requests, 0",
        "max-own-calls, 0",
        "max-own-answer, 0B",
        "max-own-answer, 2GB",
        "public-url, broker.example/fhir",
        "public-url, https://broker.example/fhir/"
    })
    void namesALimitThatLetsNothingThrough(String property, String value) {
        assertThat(startWith(bind(Map.of(property, value))))
                .startsWith("Invalid property event-broker.fhir." + property + ": It has to ");
    }

    /** The description that the log of a failed start ends with. */
    private static String startWith(FhirSettings settings) {
        Throwable failure = catchThrowable(() -> new FhirHttpConfiguration().fhirHttpClient(settings));
        return new FhirSettingFailureAnalyzer()
                .analyze(new IllegalStateException(failure))
                .getDescription();
    }

    private static FhirSettings bind(Map<String, String> values) {
        MapConfigurationPropertySource source = new MapConfigurationPropertySource(Map.of(
                "event-broker.fhir.connect-timeout", "500ms",
                "event-broker.fhir.response-timeout", "1s",
                "event-broker.fhir.max-body", "1MB",
                "event-broker.fhir.max-bytes", "1MB",
                "event-broker.fhir.max-requests", "1",
                "event-broker.fhir.max-own-calls", "1",
                "event-broker.fhir.max-own-answer", "1MB"));
        values.forEach((name, value) -> source.put("event-broker.fhir." + name, value));
        return new Binder(source)
                .bind("event-broker.fhir", Bindable.of(FhirSettings.class))
                .get();
    }

    @Test
    void showsNoCredentials() {
        Map<String, Server> servers =
                Map.of("a", new Server(URL, "broker", SECRET, null), "b", new Server(URL, null, null, SECRET));

        assertThat(TestFhirSettings.of(servers).toString())
                .contains(URL.toString())
                .doesNotContain(SECRET)
                .doesNotContain("broker");
    }

    @Test
    void authorizesByNameAndPasswordOrByToken() {
        assertThat(new Server(URL, "Aladdin", "open sesame", null).authorization())
                .contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assertThat(new Server(URL, "", "", "abc").authorization()).contains("Bearer abc");
        assertThat(new Server(URL, "", "", "").authorization()).isEmpty();
    }
}
