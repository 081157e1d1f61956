package routes.platform;

/** Whether a text can name a tenant: one that somebody can ask for. */
public final class TenantName {

    /** Stands where the bytes of a header were no text. */
    private static final char REPLACEMENT = '\ufffd';

    private TenantName() {}

    /** @param claim null and what is no text name no tenant */
    public static boolean isOne(Object claim) {
        return PlainText.isVisible(claim) && ((String) claim).indexOf(REPLACEMENT) < 0;
    }
}
