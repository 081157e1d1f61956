package routes.platform.http;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.springframework.boot.actuate.autoconfigure.security.servlet.EndpointRequest;
import org.springframework.boot.actuate.autoconfigure.web.server.ConditionalOnManagementPort;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.autoconfigure.security.oauth2.resource.OAuth2ResourceServerProperties;
import org.springframework.boot.web.context.WebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.config.observation.SecurityObservationSettings;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimNames;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.web.BearerTokenResolver;
import org.springframework.security.oauth2.server.resource.web.DefaultBearerTokenResolver;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.firewall.HttpFirewall;
import org.springframework.security.web.firewall.StrictHttpFirewall;
import org.springframework.security.web.header.writers.ReferrerPolicyHeaderWriter.ReferrerPolicy;
import org.springframework.web.context.support.WebApplicationContextUtils;
import routes.platform.PlainText;
import routes.platform.TenantName;

/**
 * Every request needs a token of the issuer, but for the documentation. Which scope it needs is {@code openapi.yaml}'s word, and checked
 * where the operation is known, in {@link HttpIngress}; both before its body is read.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8725">RFC 8725, JSON Web Token Best Current Practices</a>
 */
@Configuration(proxyBeanMethods = false)
class SecurityConfiguration {

    private static final String PROPERTIES = "spring.security.oauth2.resourceserver.jwt.";

    private static final Pattern SPACES_AFTER_SCHEME = Pattern.compile("^(?i)(Bearer) +");

    /** What may be read without a token: files of the jar that describe the API. */
    private static final String[] DOCUMENTATION = {
        "/", "/docs", "/docs/**", "/webjars/swagger-ui/**", "/contract/**", "/schemas/**"
    };

    /** The management port is kept inside, and as open as it would be without tokens: it has its endpoints, and nothing else. */
    @Bean
    @Order(1)
    @ConditionalOnManagementPort(ManagementPortType.DIFFERENT)
    SecurityFilterChain management(HttpSecurity http) throws Exception {
        return http.securityMatcher(SecurityConfiguration::isOnManagementPort)
                .csrf(AbstractHttpConfigurer::disable)
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .exceptionHandling(exceptions -> exceptions.authenticationEntryPoint(
                        (request, response, why) -> response.sendError(HttpServletResponse.SC_NOT_FOUND)))
                .authorizeHttpRequests(all -> all.dispatcherTypeMatchers(DispatcherType.ERROR)
                        .permitAll()
                        .requestMatchers(EndpointRequest.toAnyEndpoint())
                        .permitAll()
                        .anyRequest()
                        .denyAll())
                .build();
    }

    private static boolean isOnManagementPort(HttpServletRequest request) {
        return WebServerApplicationContext.hasServerNamespace(
                WebApplicationContextUtils.getRequiredWebApplicationContext(request.getServletContext()), "management");
    }

    @Bean
    @Order(2)
    SecurityFilterChain api(HttpSecurity http, Unauthenticated unauthenticated, ApiDocs docs) throws Exception {
        return http.csrf(AbstractHttpConfigurer::disable) // nothing here acts on a cookie
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .requestCache(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .headers(headers -> headers.addHeaderWriter((request, response) ->
                                response.setHeader("Content-Security-Policy", docs.contentSecurityPolicy(request)))
                        .referrerPolicy(policy -> policy.policy(ReferrerPolicy.NO_REFERRER)))
                .oauth2ResourceServer(server -> server.bearerTokenResolver(bearerToken())
                        .jwt(Customizer.withDefaults())
                        .authenticationEntryPoint(unauthenticated))
                .exceptionHandling(exceptions -> exceptions.authenticationEntryPoint(unauthenticated))
                .authorizeHttpRequests(requests -> requests.dispatcherTypeMatchers(DispatcherType.ERROR)
                        .permitAll()
                        .requestMatchers(HttpMethod.GET, DOCUMENTATION)
                        .permitAll()
                        .anyRequest()
                        .authenticated())
                .build();
    }

    /** With as many spaces between as the caller likes (RFC 6750, section 2.1); Spring takes one. */
    private static BearerTokenResolver bearerToken() {
        BearerTokenResolver resolver = new DefaultBearerTokenResolver();
        return request -> resolver.resolve(new HttpServletRequestWrapper(request) {
            @Override
            public String getHeader(String name) {
                String value = super.getHeader(name);
                return value == null ? null : SPACES_AFTER_SCHEME.matcher(value).replaceFirst("$1 ");
            }
        });
    }

    /** Signed with RS256 by a key of the issuer, for us, not expired, and saying who calls and for which tenant. */
    @Bean
    JwtDecoder jwtDecoder(OAuth2ResourceServerProperties properties) {
        OAuth2ResourceServerProperties.Jwt jwt = properties.getJwt();
        String issuer = required("issuer-uri", jwt.getIssuerUri());
        List<String> audiences = jwt.getAudiences();
        required("audiences", audiences.isEmpty() ? null : audiences.toString());

        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        // no other algorithm, whatever the header of a token says
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.RS256, new IssuerKeys(keys(jwt))));
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        // done by the validators below, with words for the caller
        processor.setJWTClaimsSetVerifier((claims, context) -> {});

        NimbusJwtDecoder decoder = new NimbusJwtDecoder(processor);
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(List.<OAuth2TokenValidator<Jwt>>of(
                new JwtClaimValidator<Instant>(JwtClaimNames.EXP, expiry -> expiry != null),
                new JwtTimestampValidator(),
                new JwtIssuerValidator(issuer),
                new JwtClaimValidator<List<String>>(
                        JwtClaimNames.AUD, sent -> sent != null && sent.stream().anyMatch(audiences::contains)),
                new JwtClaimValidator<Object>(JwtClaimNames.SUB, PlainText::isOne),
                new JwtClaimValidator<Object>(TokenCaller.TENANT, TenantName::isOne),
                new JwtClaimValidator<Object>(
                        TokenCaller.ORGANIZATION, sent -> sent == null || PlainText.isOne(sent)))));
        return decoder;
    }

    /** A timer for each filter and each decision took a tenth of a request; {@code http.server.requests} says how long it was and how it ended. */
    @Bean
    SecurityObservationSettings unobserved() {
        return SecurityObservationSettings.noObservations();
    }

    /**
     * What may be in a path is said by {@link RequestPath}, and more strictly in places by Spring; which method exists, by the dispatcher; and a
     * header that nobody asks for does not matter. An id may have whatever can be written in a path.
     */
    @Bean
    HttpFirewall httpFirewall() {
        StrictHttpFirewall firewall = new StrictHttpFirewall();
        firewall.setUnsafeAllowAnyHttpMethod(true);
        firewall.setAllowedHeaderNames(name -> true);
        firewall.setAllowedHeaderValues(value -> true);
        firewall.setAllowedParameterNames(name -> true);
        firewall.setAllowUrlEncodedSlash(true);
        firewall.setAllowUrlEncodedDoubleSlash(true);
        firewall.setAllowUrlEncodedPercent(true);
        firewall.setAllowUrlEncodedLineSeparator(true);
        firewall.setAllowUrlEncodedParagraphSeparator(true);
        firewall.setAllowBackSlash(true);
        firewall.setAllowSemicolon(true);
        return firewall;
    }

    private static URL keys(OAuth2ResourceServerProperties.Jwt jwt) {
        String uri = required("jwk-set-uri", jwt.getJwkSetUri());
        try {
            return URI.create(uri).toURL();
        } catch (MalformedURLException | IllegalArgumentException e) {
            throw new IssuerFailureAnalyzer.IssuerException(PROPERTIES + "jwk-set-uri is no URL: " + uri);
        }
    }

    private static String required(String name, String value) {
        if (value == null || value.isBlank()) {
            throw new IssuerFailureAnalyzer.IssuerException(PROPERTIES + name + " is not set");
        }
        return value;
    }
}
