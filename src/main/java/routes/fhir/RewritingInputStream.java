package routes.fhir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import routes.fhir.AddressRewriter.Syntax;

/** Rewrites the addresses in a stream as it passes, in constant memory. */
final class RewritingInputStream extends InputStream {

    private static final int PIECE = 1 << 14;

    private final InputStream source;
    private final AddressRewriter rewriter;
    private final Syntax syntax;
    private final byte[] pending;
    private int pendingLength;
    private final ByteArrayOutputStream done = new ByteArrayOutputStream(PIECE);
    private byte[] ready = new byte[0];
    private int position;
    private boolean ended;

    RewritingInputStream(InputStream source, AddressRewriter rewriter, Syntax syntax) {
        this.source = source;
        this.rewriter = rewriter;
        this.syntax = syntax;
        this.pending = new byte[PIECE + rewriter.lookahead()];
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        while (position == ready.length) {
            if (ended) {
                return -1;
            }
            fill();
        }
        int n = Math.min(length, ready.length - position);
        System.arraycopy(ready, position, bytes, offset, n);
        position += n;
        return n;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    private void fill() throws IOException {
        int n = source.read(pending, pendingLength, pending.length - pendingLength);
        ended = n < 0;
        pendingLength += Math.max(n, 0);
        done.reset();
        int rewritten = rewriter.rewrite(pending, 0, pendingLength, ended, syntax, done);
        pendingLength -= rewritten;
        System.arraycopy(pending, rewritten, pending, 0, pendingLength);
        ready = done.toByteArray();
        position = 0;
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
