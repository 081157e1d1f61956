package sandbox;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.proc.SecurityContext;
import jakarta.servlet.http.HttpServletRequest;
import java.io.File;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.UserDetailsServiceAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.authentication.OAuth2ClientCredentialsAuthenticationToken;
import org.springframework.security.oauth2.server.authorization.client.InMemoryRegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.config.annotation.web.configurers.OAuth2AuthorizationServerConfigurer;
import org.springframework.security.oauth2.server.authorization.settings.AuthorizationServerSettings;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;
import org.springframework.security.oauth2.server.authorization.settings.TokenSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.CorsConfigurationSource;
import org.springframework.web.cors.UrlBasedCorsConfigurationSource;

/**
 * The sandbox's issuer of tokens: Spring Authorization Server with three clients. It is a process with a class path of its own, and is
 * launched from this file.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration(exclude = UserDetailsServiceAutoConfiguration.class)
public class TokenIssuer {

    /** Only given to who asks for it by name. */
    private static final String ALL_TENANTS = "tenants.all";

    public static void main(String[] arguments) {
        SpringApplication.run(TokenIssuer.class, arguments);
    }

    @Bean
    SecurityFilterChain endpoints(HttpSecurity http) throws Exception {
        return http.with(
                        OAuth2AuthorizationServerConfigurer.authorizationServer(),
                        server -> server.tokenEndpoint(
                                token -> token.accessTokenRequestConverter(TokenIssuer::withAllScopes)))
                .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                .csrf(AbstractHttpConfigurer::disable)
                .cors(Customizer.withDefaults())
                .build();
    }

    /** Who names no scope gets all that the client has, so that a curl is short; else it would be none. */
    private static Authentication withAllScopes(HttpServletRequest request) {
        String named = request.getParameter("scope");
        Authentication client = SecurityContextHolder.getContext().getAuthentication();
        if (!AuthorizationGrantType.CLIENT_CREDENTIALS.getValue().equals(request.getParameter("grant_type"))
                || (named != null && !named.isBlank())
                || !(client instanceof OAuth2ClientAuthenticationToken authenticated)) {
            return null;
        }
        Set<String> scopes = authenticated.getRegisteredClient().getScopes().stream()
                .filter(scope -> !scope.equals(ALL_TENANTS))
                .collect(Collectors.toSet());
        return new OAuth2ClientCredentialsAuthenticationToken(client, scopes, Map.of());
    }

    @Bean
    RegisteredClientRepository clients(@Value("${scopes}") Set<String> scopes) {
        Set<String> reading = scopes.stream()
                .filter(scope -> scope.endsWith(".read") || scope.endsWith(".rs"))
                .collect(Collectors.toSet());
        Set<String> ofATenant = scopes.stream()
                .filter(scope -> !scope.equals(ALL_TENANTS))
                .collect(Collectors.toSet());
        return new InMemoryRegisteredClientRepository(
                client("sandbox", "default", scopes),
                client("reader", "default", reading),
                client("other", "other", ofATenant));
    }

    private static RegisteredClient client(String id, String tenant, Set<String> scopes) {
        return RegisteredClient.withId(id)
                .clientId(id)
                .clientSecret("{noop}" + id + "-secret")
                .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .scopes(all -> all.addAll(scopes))
                .clientSettings(ClientSettings.builder()
                        .setting("tenant", tenant)
                        .setting("organization", tenant + "-organization")
                        .setting("roles", List.of(id))
                        .build())
                .tokenSettings(TokenSettings.builder()
                        .accessTokenTimeToLive(Duration.ofHours(1))
                        .build())
                .build();
    }

    @Bean
    OAuth2TokenCustomizer<JwtEncodingContext> claims(@Value("${audience}") String audience) {
        return context -> {
            ClientSettings client = context.getRegisteredClient().getClientSettings();
            context.getClaims().audience(List.of(audience));
            for (String claim : List.of("tenant", "organization", "roles")) {
                context.getClaims().claim(claim, client.getSetting(claim));
            }
        };
    }

    /** Made once for the data directory, so that tokens stay good over a restart. */
    @Bean
    JWKSource<SecurityContext> keys(@Value("${keys}") File keys) throws Exception {
        return new ImmutableJWKSet<>(JWKSet.load(keys));
    }

    @Bean
    AuthorizationServerSettings settings(@Value("${issuer}") String issuer) {
        return AuthorizationServerSettings.builder().issuer(issuer).build();
    }

    /** For the documentation page of the runtime, on this machine. Spring Security looks for it by this name. */
    @Bean
    CorsConfigurationSource corsConfigurationSource() {
        CorsConfiguration configuration = new CorsConfiguration();
        configuration.setAllowedOriginPatterns(List.of("http://localhost:[*]", "http://127.0.0.1:[*]"));
        configuration.setAllowedMethods(List.of("POST"));
        configuration.setAllowedHeaders(List.of("*"));
        UrlBasedCorsConfigurationSource source = new UrlBasedCorsConfigurationSource();
        source.registerCorsConfiguration("/oauth2/token", configuration);
        return source;
    }
}
