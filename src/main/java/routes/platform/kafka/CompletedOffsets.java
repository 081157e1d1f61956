package routes.platform.kafka;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.BitSet;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * Encodes the completed offsets beyond a committed one into the metadata of the commit, so that they are not handled
 * again after a crash. The text has the committed offset, and a bit for each offset, deflated, in Base64. It counts
 * only with that offset, because a tool that moves the group may keep the text. It leaves out offsets that do not fit,
 * from the end; those records are redelivered.
 */
final class CompletedOffsets {

    private static final String VERSION = "finished-2:";

    /** Below the 4096 bytes that a broker accepts, {@code offset.metadata.max.bytes}. */
    static final int MAX_CHARS = 4000;

    /** The largest distance from the committed offset; also the limit for unpacking foreign text. */
    static final int MAX_DISTANCE = 1 << 18;

    private CompletedOffsets() {}

    /**
     * @param completed bit i stands for the offset {@code committed + i}
     * @return at most {@link #MAX_CHARS} characters, empty when no offset is completed
     */
    static String encode(long committed, BitSet completed) {
        String prefix = prefix(committed);
        for (BitSet part = completed; !part.isEmpty(); part = part.get(0, part.length() / 2)) {
            String text = prefix + Base64.getEncoder().withoutPadding().encodeToString(deflate(part.toByteArray()));
            if (text.length() <= MAX_CHARS) {
                return text;
            }
        }
        return "";
    }

    private static String prefix(long committed) {
        return VERSION + committed + ":";
    }

    /** Returns no offsets if the text comes from another program, belongs to another offset, or is damaged. */
    static BitSet decode(long committed, String metadata) {
        String prefix = prefix(committed);
        if (metadata == null || !metadata.startsWith(prefix)) {
            return new BitSet();
        }
        try {
            byte[] packed = Base64.getDecoder()
                    .decode(metadata.substring(prefix.length()).getBytes(StandardCharsets.US_ASCII));
            return BitSet.valueOf(inflate(packed));
        } catch (IllegalArgumentException | DataFormatException e) {
            return new BitSet();
        }
    }

    private static byte[] deflate(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream packed = new ByteArrayOutputStream();
            byte[] buffer = new byte[1024];
            while (!deflater.finished()) {
                packed.write(buffer, 0, deflater.deflate(buffer));
            }
            return packed.toByteArray();
        } finally {
            deflater.end();
        }
    }

    private static byte[] inflate(byte[] packed) throws DataFormatException {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(packed);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            byte[] buffer = new byte[1024];
            while (!inflater.finished()) {
                int count = inflater.inflate(buffer);
                if (count == 0 || bytes.size() > MAX_DISTANCE / Byte.SIZE) {
                    throw new DataFormatException();
                }
                bytes.write(buffer, 0, count);
            }
            return bytes.toByteArray();
        } finally {
            inflater.end();
        }
    }
}
