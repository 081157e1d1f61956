package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.util.regex.Pattern;
import org.springframework.security.oauth2.server.resource.web.BearerTokenResolver;
import org.springframework.security.oauth2.server.resource.web.DefaultBearerTokenResolver;

/** Resolves a bearer token behind any number of spaces (RFC 6750, section 2.1); Spring accepts only one. */
final class LenientBearerTokenResolver implements BearerTokenResolver {

    private static final Pattern SPACES_AFTER_SCHEME = Pattern.compile("^(?i)(Bearer) +");

    private final BearerTokenResolver resolver = new DefaultBearerTokenResolver();

    @Override
    public String resolve(HttpServletRequest request) {
        return resolver.resolve(new HttpServletRequestWrapper(request) {
            @Override
            public String getHeader(String name) {
                String value = super.getHeader(name);
                return value == null ? null : SPACES_AFTER_SCHEME.matcher(value).replaceFirst("$1 ");
            }
        });
    }
}
