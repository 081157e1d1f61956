package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.Resource;
import org.springframework.web.servlet.config.annotation.ResourceHandlerRegistry;
import org.springframework.web.servlet.config.annotation.ViewControllerRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.resource.ResourceTransformerChain;
import org.springframework.web.servlet.resource.TransformedResource;

/** {@code /docs} is Swagger UI, {@code /contract/} and {@code /schemas/} are the files that it, and every client, can read. */
@Configuration(proxyBeanMethods = false)
class ApiDocs implements WebMvcConfigurer {

    private static final Pattern TOKEN_URL = Pattern.compile("tokenUrl: \\S+");

    /** Where nobody listens: no secret is sent to an address that was not chosen. */
    private static final String NOWHERE = "https://event-broker.http.token-url.invalid";

    private final String tokenUrl;

    ApiDocs(@Value("${event-broker.http.token-url}") String tokenUrl) {
        this.tokenUrl = tokenUrl.isBlank() ? NOWHERE : tokenUrl;
    }

    @Override
    public void addViewControllers(ViewControllerRegistry registry) {
        for (String path : List.of("/", "/docs", "/docs/")) {
            registry.addRedirectViewController(path, "/docs/index.html");
        }
    }

    @Override
    public void addResourceHandlers(ResourceHandlerRegistry registry) {
        registry.addResourceHandler("/contract/**")
                .addResourceLocations("classpath:/contract/")
                .resourceChain(true)
                .addTransformer(this::withTokenUrl);
        registry.addResourceHandler("/schemas/**").addResourceLocations("classpath:/schemas/");
    }

    /** The contract names the sandbox's issuer; here it is the one that this runtime's callers have. */
    private Resource withTokenUrl(HttpServletRequest request, Resource file, ResourceTransformerChain chain)
            throws IOException {
        Resource transformed = chain.transform(request, file);
        return new TransformedResource(
                transformed,
                TOKEN_URL
                        .matcher(transformed.getContentAsString(StandardCharsets.UTF_8))
                        .replaceAll(Matcher.quoteReplacement("tokenUrl: " + tokenUrl))
                        .getBytes(StandardCharsets.UTF_8));
    }
}
