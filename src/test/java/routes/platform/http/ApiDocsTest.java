package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.web.MockHttpServletRequest;

class ApiDocsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/oauth2/token",
                "issuer:9000/token",
                "http://[",
                "https:///token",
                "https://issuer/a b",
                "https://issuer/\nx: y",
                "javascript:alert(1)",
                "https://a;script-src *"
            })
    void doesNotStartWithATokenUrlThatIsNone(String url) {
        assertThatThrownBy(() -> new ApiDocs(url, ""))
                .hasMessage(
                        "event-broker.http.token-url must be a whole URL, such as https://issuer.example/oauth2/token");
    }

    @Test
    void failsTheStartWithTokenClientsOfSeveralLines() {
        assertThatThrownBy(() -> new ApiDocs("", "The client a.\nflows: {}"))
                .hasMessage("event-broker.http.token-clients must be one line");
    }

    @ParameterizedTest
    @CsvSource({
        "https://issuer.example/oauth2/token, https://issuer.example",
        "http://user@[::1]:9000/token, http://[::1]:9000",
        "'', https://event-broker.http.token-url.invalid"
    })
    void letsThePageAskTheIssuerAlone(String url, String origin) {
        ApiDocs docs = new ApiDocs(url, "The client a.\n");

        assertThat(docs.contentSecurityPolicy(new MockHttpServletRequest("GET", "/docs/index.html")))
                .contains("; connect-src 'self' " + origin + "; ");
        assertThat(docs.contentSecurityPolicy(new MockHttpServletRequest("GET", "/api/activity")))
                .doesNotContain("connect-src");
    }
}
