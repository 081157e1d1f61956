package routes.platform.http;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.springframework.web.util.UriUtils;
import routes.platform.StrictUtf8;
import routes.platform.Violation;

/** The query of a request, decoded once for the check and for everybody behind it. Strict, so that nobody reads it in another way. */
final class QueryString {

    static final String NOT_UTF_8 = "is not percent-encoded UTF-8";

    private QueryString() {}

    /**
     * The texts of the parameters, in their order.
     *
     * @param query as in the request line, or null
     * @param known the names that the operation has
     * @param wrong gets what is wrong: what is not UTF-8, not known, or there twice
     */
    static Map<String, String> read(String query, List<String> known, List<Violation> wrong) {
        Map<String, String> parameters = new LinkedHashMap<>();
        Set<String> refused = new HashSet<>();
        for (String parameter : query == null ? new String[0] : query.split("&")) {
            if (parameter.isEmpty()) {
                continue;
            }
            int equals = parameter.indexOf('=');
            String name = equals < 0 ? parameter : parameter.substring(0, equals);
            String value = equals < 0 ? "" : parameter.substring(equals + 1);
            try {
                name = decode(name.replace('+', ' '));
            } catch (CharacterCodingException e) {
                wrong.add(new Violation("a query parameter", NOT_UTF_8));
                continue;
            }
            if (!known.contains(name)) {
                if (refused.add(name)) {
                    wrong.add(Violation.unknownParameter(name, known));
                }
                continue;
            }
            try {
                if (parameters.put(name, decode(value.replace('+', ' '))) != null && refused.add(name)) {
                    wrong.add(new Violation("query parameter " + name, "is given twice"));
                }
            } catch (CharacterCodingException e) {
                wrong.add(new Violation("query parameter " + name, NOT_UTF_8));
            }
        }
        return parameters;
    }

    /** @throws CharacterCodingException when it is not percent-encoded UTF-8 */
    static String decode(String text) throws CharacterCodingException {
        try {
            // each byte as a character, which is what the server makes of a request line
            byte[] bytes = UriUtils.decode(text, StandardCharsets.ISO_8859_1).getBytes(StandardCharsets.ISO_8859_1);
            return StrictUtf8.decode(bytes);
        } catch (IllegalArgumentException e) {
            throw new CharacterCodingException();
        }
    }
}
