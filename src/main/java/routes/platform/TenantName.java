package routes.platform;

/** Checks the name of a tenant: visible plain text that a caller can also send as a parameter. */
public final class TenantName {

    /** Replaces bytes of a header that are not UTF-8. */
    private static final char REPLACEMENT = '\ufffd';

    private TenantName() {}

    /** @param claim null and values other than strings are not valid */
    public static boolean isValid(Object claim) {
        return PlainText.isVisible(claim) && ((String) claim).indexOf(REPLACEMENT) < 0;
    }
}
