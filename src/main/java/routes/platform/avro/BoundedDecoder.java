package routes.platform.avro;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.Decoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;
import routes.platform.StrictUtf8;
import routes.platform.error.MalformedAvroException;

/**
 * Decodes one value, and allocates nothing that its bytes could not hold. Avro's own decoder allocates up to 2 GB for
 * the length of a text or list, before it compares that length with the bytes. Text must be strict UTF-8.
 */
final class BoundedDecoder extends Decoder {

    /** Values without bytes that a schema may have in addition to those that a byte announces, as in a union. */
    private static final int SOME = 1000;

    private final BinaryDecoder in;
    private final int size;

    /** Items of all lists and maps so far. Items of a foreign schema may have no bytes, and so no limit. */
    private long items;

    /** Values without bytes so far. */
    private long emptyValues;

    /** @param offset of the first byte of the value */
    BoundedDecoder(byte[] bytes, int offset) {
        size = bytes.length - offset;
        in = DecoderFactory.get().binaryDecoder(bytes, offset, size, null);
    }

    /** Returns the number of bytes left. */
    int remaining() throws IOException {
        return in.inputStream().available();
    }

    @Override
    public String readString() throws IOException {
        byte[] bytes = bytes();
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0) {
            requireUtf8(bytes);
        }
        if (text.indexOf('\0') >= 0) {
            throw new MalformedAvroException("a text has the character U+0000, which the database cannot hold");
        }
        return text;
    }

    private static void requireUtf8(byte[] bytes) {
        try {
            StrictUtf8.decode(bytes);
        } catch (CharacterCodingException e) {
            throw new MalformedAvroException("a text is not UTF-8");
        }
    }

    @Override
    public Utf8 readString(Utf8 old) throws IOException {
        return new Utf8(readString());
    }

    @Override
    public void skipString() throws IOException {
        in.skipFixed(length());
    }

    @Override
    public ByteBuffer readBytes(ByteBuffer old) throws IOException {
        return ByteBuffer.wrap(bytes());
    }

    @Override
    public void skipBytes() throws IOException {
        in.skipFixed(length());
    }

    private byte[] bytes() throws IOException {
        byte[] bytes = new byte[length()];
        in.readFixed(bytes, 0, bytes.length);
        return bytes;
    }

    private int length() throws IOException {
        long length = in.readLong();
        if (length < 0) {
            throw new MalformedAvroException("a length is negative");
        }
        if (length > remaining()) {
            throw new EOFException();
        }
        return (int) length;
    }

    private long count(long block) {
        items += block;
        if (block < 0 || items > size) {
            throw new MalformedAvroException("a list claims more items than the value has bytes");
        }
        return block;
    }

    private void countEmptyValue() {
        if (++emptyValues > size + SOME) {
            throw new MalformedAvroException("has more values without bytes than it has bytes");
        }
    }

    @Override
    public long readArrayStart() throws IOException {
        return count(in.readArrayStart());
    }

    @Override
    public long arrayNext() throws IOException {
        return count(in.arrayNext());
    }

    @Override
    public long skipArray() throws IOException {
        return count(in.skipArray());
    }

    @Override
    public long readMapStart() throws IOException {
        return count(in.readMapStart());
    }

    @Override
    public long mapNext() throws IOException {
        return count(in.mapNext());
    }

    @Override
    public long skipMap() throws IOException {
        return count(in.skipMap());
    }

    @Override
    public void readFixed(byte[] bytes, int start, int length) throws IOException {
        if (length == 0) {
            countEmptyValue();
        }
        in.readFixed(bytes, start, length);
    }

    @Override
    public void skipFixed(int length) throws IOException {
        if (length == 0) {
            countEmptyValue();
        }
        in.skipFixed(length);
    }

    @Override
    public void readNull() throws IOException {
        countEmptyValue();
        in.readNull();
    }

    @Override
    public boolean readBoolean() throws IOException {
        return in.readBoolean();
    }

    @Override
    public int readInt() throws IOException {
        return in.readInt();
    }

    @Override
    public long readLong() throws IOException {
        return in.readLong();
    }

    @Override
    public float readFloat() throws IOException {
        return in.readFloat();
    }

    @Override
    public double readDouble() throws IOException {
        return in.readDouble();
    }

    @Override
    public int readEnum() throws IOException {
        return in.readEnum();
    }

    @Override
    public int readIndex() throws IOException {
        return in.readIndex();
    }
}
