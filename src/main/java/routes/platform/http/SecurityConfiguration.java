package routes.platform.http;

import jakarta.servlet.DispatcherType;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.config.observation.SecurityObservationSettings;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.firewall.HttpFirewall;
import org.springframework.security.web.firewall.StrictHttpFirewall;
import org.springframework.security.web.header.writers.ReferrerPolicyHeaderWriter.ReferrerPolicy;

/**
 * Requires a token of the issuer for every request except those for the documentation. {@link HttpIngress} requires the
 * scopes of the operation, which {@code openapi.yaml} declares; both come before the body.
 */
@Configuration(proxyBeanMethods = false)
class SecurityConfiguration {

    /** Readable without a token: the files of the jar that describe the API. */
    private static final String[] DOCUMENTATION = {
        "/", "/docs", "/docs/**", "/webjars/swagger-ui/**", "/contract/**", "/schemas/**"
    };

    @Bean
    @Order(2)
    SecurityFilterChain api(HttpSecurity http, ProblemAuthenticationEntryPoint unauthenticated, ApiDocs docs)
            throws Exception {
        return http.csrf(AbstractHttpConfigurer::disable) // no request is authenticated by a cookie
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .requestCache(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .headers(headers -> headers.addHeaderWriter((request, response) ->
                                response.setHeader("Content-Security-Policy", docs.contentSecurityPolicy(request)))
                        .referrerPolicy(policy -> policy.policy(ReferrerPolicy.NO_REFERRER)))
                .oauth2ResourceServer(server -> server.bearerTokenResolver(new LenientBearerTokenResolver())
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

    /**
     * Switches off a timer per filter and decision, which took a tenth of a request; {@code http.server.requests} has
     * its time and outcome.
     */
    @Bean
    SecurityObservationSettings noObservations() {
        return SecurityObservationSettings.noObservations();
    }

    /**
     * Lets ids with any character pass. {@link RequestPath} checks paths, the dispatcher checks methods, and the
     * allow-list drops unknown headers.
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
}
