package routes.platform;

import java.util.regex.Pattern;

/** Text that a record header, an index and a log line can hold: 1 to 256 characters, none of them a control character. The schemas say the same. */
public final class PlainText {

    public static final int MAX_LENGTH = 256;

    private static final Pattern PLAIN = Pattern.compile("[^\\x00-\\x1f\\x7f-\\x9f]{1," + MAX_LENGTH + "}");

    /** White space as ECMA-262 has it, so that a schema can say the same in every language. */
    private static final Pattern VISIBLE =
            Pattern.compile("[^\\s\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]");

    private PlainText() {}

    /** @param value null and what is no text are none */
    public static boolean isOne(Object value) {
        return value instanceof String text && PLAIN.matcher(text).matches();
    }

    /** The same of one that somebody can see. */
    public static boolean isVisible(Object value) {
        return isOne(value) && VISIBLE.matcher((String) value).find();
    }
}
