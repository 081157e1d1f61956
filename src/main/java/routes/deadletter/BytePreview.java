package routes.deadletter;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The beginning of some bytes, as a person can look at it.
 *
 * @param text null when it is not UTF-8
 * @param bytes how many there are
 */
record BytePreview(byte[] base64, String text, long bytes) {

    /**
     * @param start all of the bytes, or the first ones; null when there are none to show
     * @param bytes how many there are
     */
    static BytePreview of(byte[] start, long bytes) {
        return start == null ? null : new BytePreview(start, text(start, start.length == bytes), bytes);
    }

    /** A character that is cut in two at the end is left out. */
    private static String text(byte[] start, boolean whole) {
        CharBuffer text = CharBuffer.allocate(start.length);
        boolean malformed = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(start), text, whole)
                .isError();
        return malformed ? null : text.flip().toString();
    }
}
