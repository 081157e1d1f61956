package routes.deadletter;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Shows the first bytes of a part, in base64 and as text.
 *
 * @param text null when the bytes are not UTF-8
 * @param bytes the size of the whole part
 */
record BytePreview(byte[] base64, String text, long bytes) {

    /**
     * @param start the first bytes, or all; null when the part is null
     * @param bytes the size of the whole part
     */
    static BytePreview of(byte[] start, long bytes) {
        return start == null ? null : new BytePreview(start, text(start, start.length == bytes), bytes);
    }

    /** Leaves out a last character that the cut has split. */
    private static String text(byte[] start, boolean whole) {
        CharBuffer text = CharBuffer.allocate(start.length);
        boolean malformed = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(start), text, whole)
                .isError();
        return malformed ? null : text.flip().toString();
    }
}
