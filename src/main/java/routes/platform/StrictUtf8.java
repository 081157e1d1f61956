package routes.platform;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Decodes UTF-8 without replacing malformed bytes, as {@code new String} would. */
public final class StrictUtf8 {

    private StrictUtf8() {}

    /** @throws CharacterCodingException when the bytes are not UTF-8 */
    public static String decode(byte[] bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }
}
