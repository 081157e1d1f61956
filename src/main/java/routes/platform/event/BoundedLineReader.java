package routes.platform.event;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import routes.platform.error.ProblemException;

/** Reads the lines of a stream, and skips a line over the limit without keeping it in memory. */
final class BoundedLineReader {

    private final InputStream in;
    private final int limit;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private long number;
    private boolean ended;

    /** @param limit the longest line, in bytes */
    BoundedLineReader(InputStream in, int limit) {
        this.in = in;
        this.limit = limit;
    }

    /** Returns the number of the last line, from 1. */
    long number() {
        return number;
    }

    boolean isAtEnd() {
        return ended;
    }

    /**
     * Returns the next line without its end; empty for a blank line and at the end of the stream.
     *
     * @throws ProblemException 413 when the line is longer than the limit; the next call returns the line after it
     */
    byte[] next() throws IOException {
        line.reset();
        number++;
        boolean tooLong = false;
        int b;
        while ((b = in.read()) != '\n' && b != -1) {
            if (line.size() < limit) {
                line.write(b);
            } else {
                tooLong = true;
            }
        }
        ended = b == -1;
        if (tooLong) {
            throw new ProblemException(413, "the line is longer than " + limit + " bytes");
        }
        byte[] bytes = line.toByteArray();
        return isBlank(bytes) ? new byte[0] : bytes;
    }

    private static boolean isBlank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }
}
