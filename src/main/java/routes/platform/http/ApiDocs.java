package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.Resource;
import org.springframework.http.CacheControl;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.ViewControllerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.resource.ResourceTransformerChain;
import org.springframework.web.servlet.resource.TransformedResource;
import routes.platform.PlainText;

/**
 * Serves Swagger UI at {@code /docs}, and the contract and the schemas at {@code /contract/} and {@code /schemas/}.
 * Swagger UI's own page stays closed: it loads any API, and asks for secrets in this API's name.
 */
@Configuration(proxyBeanMethods = false)
class ApiDocs implements WebMvcConfigurer {

    private static final Pattern TOKEN_URL = Pattern.compile("tokenUrl: \\S+");
    private static final Pattern SANDBOX = Pattern.compile("The address below is that of the sandbox's issuer\\.");

    /** Replaced by a URL relative to the contract, which also works behind a proxy with a path prefix. */
    private static final Pattern SERVER = Pattern.compile("(?m)^  - url: /$");

    /** An address where no server listens, so that the page sends no secret to an unconfigured issuer. */
    private static final String NOWHERE = "https://event-broker.http.token-url.invalid";

    private static final String PAGE = "/docs/";

    /** The policy of responses that no browser needs to render. */
    private static final String NOTHING_TO_SHOW = "default-src 'none'; frame-ancestors 'none'";

    private final String tokenUrl;
    private final String tokenClients;
    private final String policyOfThePage;

    /** @throws IllegalArgumentException when a value does not fit into the contract or the page's policy */
    ApiDocs(
            @Value("${event-broker.http.token-url}") String tokenUrl,
            @Value("${event-broker.http.token-clients}") String tokenClients) {
        this.tokenUrl = tokenUrl.isBlank() ? NOWHERE : tokenUrl.strip();
        this.tokenClients = tokenClients.strip();
        if (PlainText.hasControlCharacters(this.tokenClients)) {
            throw new IllegalArgumentException("event-broker.http.token-clients must be one line");
        }
        this.policyOfThePage =
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' "
                        + origin(this.tokenUrl)
                        + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    private static String origin(String url) {
        try {
            URI uri = new URI(url);
            if (uri.getHost() != null && ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))) {
                return uri.getScheme() + "://" + uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
            }
        } catch (URISyntaxException e) {
            // reported below, without the value
        }
        throw new IllegalArgumentException(
                "event-broker.http.token-url must be a whole URL, such as https://issuer.example/oauth2/token");
    }

    @Override
    public void addViewControllers(ViewControllerRegistry registry) {
        registry.addRedirectViewController("/", "docs/index.html");
        registry.addRedirectViewController("/docs", "docs/index.html");
        registry.addRedirectViewController(PAGE, "index.html");
    }

    @Override
    public void addResourceHandlers(ResourceHandlerRegistry registry) {
        registry.addResourceHandler(PAGE + "**")
                .addResourceLocations("classpath:/static/docs/")
                .setCacheControl(CacheControl.noCache());
        // the resource chain inserts the library's version
        registry.addResourceHandler("/webjars/{library:swagger-ui}/{file:swagger-ui\\.css|swagger-ui-bundle\\.js}")
                .addResourceLocations("classpath:/META-INF/resources/webjars/")
                .setCacheControl(CacheControl.noCache())
                .resourceChain(true);
        registry.addResourceHandler("/contract/**")
                .addResourceLocations("classpath:/contract/")
                .resourceChain(true)
                .addTransformer(this::withIssuer);
        registry.addResourceHandler("/schemas/**").addResourceLocations("classpath:/schemas/");
    }

    /** Lets the page run its own scripts, and call this API and the issuer; other responses may do nothing. */
    String contentSecurityPolicy(HttpServletRequest request) {
        return request.getRequestURI().startsWith(PAGE) ? policyOfThePage : NOTHING_TO_SHOW;
    }

    /** Puts the issuer of this runtime into the contract, which names that of the sandbox. */
    private Resource withIssuer(HttpServletRequest request, Resource file, ResourceTransformerChain chain)
            throws IOException {
        Resource transformed = chain.transform(request, file);
        String text = transformed.getContentAsString(StandardCharsets.UTF_8);
        text = TOKEN_URL.matcher(text).replaceAll(Matcher.quoteReplacement("tokenUrl: " + tokenUrl));
        text = SANDBOX.matcher(text).replaceAll(Matcher.quoteReplacement(tokenClients));
        text = SERVER.matcher(text).replaceAll("  - url: ..");
        return new TransformedResource(transformed, text.getBytes(StandardCharsets.UTF_8));
    }
}
