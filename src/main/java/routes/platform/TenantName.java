package routes.platform;

import java.util.regex.Pattern;

/** Whether a text can name a tenant: what a record header, an index and a log line can hold, and somebody can ask for. */
public final class TenantName {

    /** Without U+FFFD too, which stands where the bytes of a header were no text. */
    private static final Pattern PLAIN = Pattern.compile("[^\\p{Cntrl}\\x{80}-\\x{9f}\\x{fffd}]{1,256}");

    private TenantName() {}

    /** @param claim null and what is no text name no tenant */
    public static boolean isOne(Object claim) {
        return claim instanceof String text
                && !text.isBlank()
                && PLAIN.matcher(text).matches();
    }
}
