package routes.fhir;

import java.io.ByteArrayOutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import routes.platform.StrictUtf8;
import routes.platform.error.ProblemException;

/** Decodes queries and forms once and strictly, as the server does. */
final class FhirQuery {

    private static final int MAX_PARAMETERS = 1_000;

    private FhirQuery() {}

    /**
     * One parameter; the same name may repeat.
     *
     * @param name with its modifiers and chain, such as {@code subject:Patient.name}
     */
    record Parameter(String name, String value) {}

    /**
     * Returns the parameters in their order.
     *
     * @param query without a question mark, or null
     * @param place begins the text of the error, such as {@code query}
     * @throws ProblemException 400 when it is not percent-encoded UTF-8 or ambiguous, 413 for too many parameters
     */
    static List<Parameter> decode(String query, String place) {
        List<Parameter> parameters = new ArrayList<>();
        if (query == null) {
            return parameters;
        }
        if (query.startsWith("?")) {
            // HAPI reads the first parameter without it
            throw new ProblemException(400, place + ": begins with a second question mark");
        }
        for (int start = 0; start < query.length(); ) {
            int and = query.indexOf('&', start);
            int end = and < 0 ? query.length() : and;
            if (end > start) {
                if (parameters.size() == MAX_PARAMETERS) {
                    throw new ProblemException(413, place + ": more than " + MAX_PARAMETERS + " parameters");
                }
                int equals = query.indexOf('=', start);
                boolean hasValue = equals >= 0 && equals < end;
                parameters.add(new Parameter(
                        text(query.substring(start, hasValue ? equals : end), place),
                        hasValue ? text(query.substring(equals + 1, end), place) : ""));
            }
            start = end + 1;
        }
        return parameters;
    }

    private static String text(String sent, String place) {
        String spaced = sent.replace('+', ' ');
        if (spaced.indexOf('%') < 0) {
            return spaced;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(spaced.length());
        try {
            for (int i = 0; i < spaced.length(); ) {
                int percent = spaced.indexOf('%', i);
                int end = percent < 0 ? spaced.length() : percent;
                bytes.writeBytes(spaced.substring(i, end).getBytes(StandardCharsets.UTF_8));
                if (percent >= 0) {
                    bytes.write(octet(spaced, percent));
                    end += 3;
                }
                i = end;
            }
            return StrictUtf8.decode(bytes.toByteArray());
        } catch (CharacterCodingException e) {
            throw new ProblemException(400, place + ": is not percent-encoded UTF-8");
        }
    }

    private static int octet(String text, int percent) throws CharacterCodingException {
        int high = percent + 2 < text.length() ? digit(text.charAt(percent + 1)) : -1;
        int low = percent + 2 < text.length() ? digit(text.charAt(percent + 2)) : -1;
        if (high < 0 || low < 0) {
            throw new CharacterCodingException();
        }
        return high << 4 | low;
    }

    /** Only ASCII: the JDK also takes digits of other scripts. */
    private static int digit(char c) {
        return c < 128 ? Character.digit(c, 16) : -1;
    }
}
