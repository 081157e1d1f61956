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

/** Decodes the query of a request once and strictly, so that every reader sees the same parameters. */
final class QueryString {

    static final String NOT_UTF_8 = "is not percent-encoded UTF-8";

    private QueryString() {}

    /**
     * Returns the texts of the parameters, in their order.
     *
     * @param query as in the request line, or null
     * @param known the parameter names of the operation
     * @param wrong receives a violation for a parameter that is not UTF-8, unknown or duplicate
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

    /** @throws CharacterCodingException when the text is not percent-encoded UTF-8 */
    static String decode(String text) throws CharacterCodingException {
        try {
            // one character per byte, as the server reads a request line
            byte[] bytes = UriUtils.decode(text, StandardCharsets.ISO_8859_1).getBytes(StandardCharsets.ISO_8859_1);
            return StrictUtf8.decode(bytes);
        } catch (IllegalArgumentException e) {
            throw new CharacterCodingException();
        }
    }
}
