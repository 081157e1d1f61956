package routes.platform.http;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.time.Instant;
import java.util.List;
import org.springframework.boot.autoconfigure.security.oauth2.resource.OAuth2ResourceServerProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimNames;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import routes.platform.PlainText;
import routes.platform.TenantName;

/**
 * Decodes and validates tokens. Fails the start when the issuer, its keys or the audience is not configured.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8725">RFC 8725, JSON Web Token Best Current Practices</a>
 */
@Configuration(proxyBeanMethods = false)
class JwtConfiguration {

    private static final String PROPERTIES = "spring.security.oauth2.resourceserver.jwt.";

    /**
     * Accepts a token that the issuer has signed with RS256, for our audience, unexpired, with a subject and a tenant.
     */
    @Bean
    JwtDecoder jwtDecoder(OAuth2ResourceServerProperties properties) {
        OAuth2ResourceServerProperties.Jwt jwt = properties.getJwt();
        String issuer = required("issuer-uri", jwt.getIssuerUri());
        List<String> audiences = jwt.getAudiences();
        required("audiences", audiences.isEmpty() ? null : audiences.toString());

        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        // accepts no other algorithm, whatever a token's header names
        processor.setJWSKeySelector(
                new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, new IssuerKeys(jwkSetUrl(jwt))));
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        // the validators below check the claims, with messages for the caller
        processor.setJWTClaimsSetVerifier((claims, context) -> {});

        NimbusJwtDecoder decoder = new NimbusJwtDecoder(processor);
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(List.<OAuth2TokenValidator<Jwt>>of(
                new JwtClaimValidator<Instant>(JwtClaimNames.EXP, expiry -> expiry != null),
                new JwtTimestampValidator(),
                new JwtIssuerValidator(issuer),
                new JwtClaimValidator<List<String>>(
                        JwtClaimNames.AUD, sent -> sent != null && sent.stream().anyMatch(audiences::contains)),
                new JwtClaimValidator<Object>(JwtClaimNames.SUB, PlainText::isValid),
                new JwtClaimValidator<Object>(CallerResolver.TENANT, TenantName::isValid),
                new JwtClaimValidator<Object>(
                        CallerResolver.ORGANIZATION, sent -> sent == null || PlainText.isValid(sent)))));
        return decoder;
    }

    private static URL jwkSetUrl(OAuth2ResourceServerProperties.Jwt jwt) {
        String uri = required("jwk-set-uri", jwt.getJwkSetUri());
        try {
            return URI.create(uri).toURL();
        } catch (MalformedURLException | IllegalArgumentException e) {
            throw new IssuerFailureAnalyzer.IssuerException(PROPERTIES + "jwk-set-uri is not a URL: " + uri);
        }
    }

    private static String required(String name, String value) {
        if (value == null || value.isBlank()) {
            throw new IssuerFailureAnalyzer.IssuerException(PROPERTIES + name + " is not set");
        }
        return value;
    }
}
