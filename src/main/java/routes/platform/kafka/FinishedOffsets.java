package routes.platform.kafka;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.BitSet;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * The finished offsets behind a committed one, as the text that Kafka keeps with a commit: the committed offset, and a bit for each offset,
 * deflated, in Base64. The text counts for that offset alone, for a tool that moves a group to another one may keep it. After a crash they are not handled again. What does not fit is left out, from the end; those records come again.
 */
final class FinishedOffsets {

    private static final String VERSION = "finished-2:";

    /** A broker takes 4096 bytes, {@code offset.metadata.max.bytes}. */
    static final int MAX_CHARS = 4000;

    /** How far behind the committed offset one may be; also the most that is unpacked, whoever wrote it. */
    static final int MAX_DISTANCE = 1 << 18;

    private FinishedOffsets() {}

    /**
     * @param committed the offset that is committed
     * @param finished bit i stands for the offset i behind the committed one
     * @return at most {@link #MAX_CHARS} characters, empty when nothing is finished
     */
    static String encode(long committed, BitSet finished) {
        String prefix = prefix(committed);
        for (BitSet part = finished; !part.isEmpty(); part = part.get(0, part.length() / 2)) {
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

    /** @return nothing for what another program wrote, what is of another offset, or what is damaged */
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
