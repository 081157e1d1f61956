package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.security.oauth2.resource.OAuth2ResourceServerProperties;

class IssuerFailureAnalyzerTest {

    private final OAuth2ResourceServerProperties properties = new OAuth2ResourceServerProperties();

    @Test
    void namesTheMissingProperty() {
        assertThat(startWith()).contains("jwt.issuer-uri is not set");
        properties.getJwt().setIssuerUri("https://issuer.example");
        assertThat(startWith()).contains("jwt.audiences is not set");
        properties.getJwt().getAudiences().add("event-broker");
        assertThat(startWith()).contains("jwt.jwk-set-uri is not set");
        properties.getJwt().setJwkSetUri("keys");
        assertThat(startWith()).contains("jwt.jwk-set-uri is not a URL: keys");
    }

    private String startWith() {
        Throwable failure = catchThrowable(() -> new JwtConfiguration().jwtDecoder(properties));
        return new IssuerFailureAnalyzer()
                .analyze(new IllegalStateException(failure))
                .getDescription();
    }
}
