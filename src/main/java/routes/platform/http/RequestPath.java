package routes.platform.http;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.web.util.UriUtils;

/**
 * Normalizes the path of a request. Spring matches the decoded path; Camel matches the raw one and ignores case. So
 * everything behind {@link RequestFilter} sees one spelling.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2">RFC 3986, section 6.2.2</a>
 */
final class RequestPath {

    private static final Pattern ENCODED = Pattern.compile("%([0-9A-Fa-f]{2})");
    private static final Pattern DOT_SEGMENT = Pattern.compile("/\\.{1,2}(?:/|$)");

    /** Slash, backslash, semicolon and percent. */
    private static final Pattern ONLY_IN_IDS = Pattern.compile("%(?:2F|5C|3B|25)");

    private static final String API = "/api/";

    private RequestPath() {}

    /** Decodes unreserved characters; keeps all other encodings, in upper case. */
    static String normal(String path) {
        return path.indexOf('%') < 0 ? path : ENCODED.matcher(path).replaceAll(RequestPath::normal);
    }

    private static String normal(MatchResult encoded) {
        char octet = (char) Integer.parseInt(encoded.group(1), 16);
        return isUnreserved(octet) ? String.valueOf(octet) : encoded.group().toUpperCase(Locale.ROOT);
    }

    private static boolean isUnreserved(char octet) {
        return octet >= 'a' && octet <= 'z'
                || octet >= 'A' && octet <= 'Z'
                || octet >= '0' && octet <= '9'
                || "-._~".indexOf(octet) >= 0;
    }

    /**
     * Whether a resource can have the path. Spring ignores path parameters and extra slashes; Camel does not.
     *
     * @param path {@link #normal}
     */
    static boolean canBeServed(String path) {
        return path.indexOf(';') < 0
                && !path.contains("//")
                && !DOT_SEGMENT.matcher(path).find()
                && (path.startsWith(API) || !ONLY_IN_IDS.matcher(path).find());
    }

    /**
     * Encodes the ids of the path so that Camel mistakes none for a fixed segment of another path, such as
     * {@code Summary} for {@code summary}.
     *
     * @param path {@link #normal}
     * @param pattern the path pattern that Spring has matched, such as <code>/api/dead-letters/{id}</code>
     */
    static String withUnmistakableIds(String path, String pattern) {
        String[] parts = path.split("/", -1);
        String[] patterns = pattern.split("/", -1);
        for (int i = 0; i < Math.min(parts.length, patterns.length); i++) {
            if (patterns[i].startsWith("{") && !patterns[i].startsWith("{*")) {
                parts[i] = withFirstEncoded(inOneSpelling(parts[i]));
            }
        }
        return String.join("/", parts);
    }

    /** Encodes all reserved characters, so that {@code rx:1} and {@code rx%3A1} are one id. */
    static String withIdsInOneSpelling(String path) {
        return Stream.of(path.split("/", -1)).map(RequestPath::inOneSpelling).collect(Collectors.joining("/"));
    }

    private static String inOneSpelling(String part) {
        return UriUtils.encode(UriUtils.decode(part, StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }

    private static String withFirstEncoded(String part) {
        return part.startsWith("%") ? part : "%%%02X".formatted((int) part.charAt(0)) + part.substring(1);
    }
}
