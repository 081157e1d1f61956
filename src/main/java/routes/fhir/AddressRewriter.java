package routes.fhir;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.springframework.web.util.UriUtils;

/**
 * Replaces one base address by another in bytes that pass: the server's by the facade's in answers, and the reverse in
 * requests. It finds the address as text and percent-encoded, as in links that repeat a query. It keeps all other
 * bytes.
 */
final class AddressRewriter {

    /** Ends a page link of HAPI, behind the base; its id follows. */
    private static final byte[] PAGE = ascii("?_getpages=");

    /** Is longer than any id of a page link. */
    private static final int MAX_PAGE_ID = 64;

    private record Replacement(byte[] from, byte[] to) {}

    private final List<Replacement> replacements;

    /** The byte at the start of every form of the address; most bytes of a body are another one. */
    private final byte first;

    private final UnaryOperator<String> seal;
    private final int lookahead;

    /**
     * @param from the base address to find, without a slash at its end
     * @param to its replacement
     * @param seal turns the id of a page link into the one that the caller gets
     */
    AddressRewriter(String from, String to, UnaryOperator<String> seal) {
        String encodedFrom = UriUtils.encode(from, StandardCharsets.UTF_8);
        String encodedTo = UriUtils.encode(to, StandardCharsets.UTF_8);
        this.replacements = Stream.of(
                        new Replacement(ascii(from), ascii(to)),
                        new Replacement(ascii(escaped(from)), ascii(escaped(to))),
                        new Replacement(ascii(encodedFrom), ascii(encodedTo)),
                        new Replacement(ascii(inLowerCase(encodedFrom)), ascii(inLowerCase(encodedTo))))
                .toList();
        this.first = replacements.get(0).from()[0];
        this.seal = seal;
        this.lookahead = encodedFrom.length() + PAGE.length + MAX_PAGE_ID + 1;
    }

    /** The percent-encoding with lower-case digits, which some clients write. */
    private static String inLowerCase(String encoded) {
        return encoded.replace("%3A", "%3a").replace("%2F", "%2f");
    }

    /** The form of JSON in which some servers write a slash. */
    private static String escaped(String text) {
        return text.replace("/", "\\/");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Returns the same array when it holds no address. */
    byte[] rewrite(byte[] bytes) {
        int first = 0;
        while (first < bytes.length && at(bytes, first, bytes.length) == null) {
            first++;
        }
        if (first == bytes.length) {
            return bytes;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + (bytes.length >> 3));
        rewrite(bytes, bytes.length, true, out);
        return out.toByteArray();
    }

    String rewrite(String text) {
        return new String(rewrite(text.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
    }

    /**
     * Rewrites a piece of a stream.
     *
     * @param length of the bytes to rewrite
     * @param isLast whether the stream ends with them
     * @return how many bytes are done; the others belong in front of the next piece
     */
    int rewrite(byte[] bytes, int length, boolean isLast, ByteArrayOutputStream out) {
        int end = isLast ? length : Math.max(0, length - lookahead);
        int kept = 0;
        int i = 0;
        while (i < end) {
            Replacement found = at(bytes, i, length);
            if (found == null) {
                i++;
                continue;
            }
            out.write(bytes, kept, i - kept);
            out.writeBytes(found.to());
            i += found.from().length;
            i += sealPage(bytes, i, length, out);
            kept = i;
        }
        out.write(bytes, kept, i - kept);
        return i;
    }

    private Replacement at(byte[] bytes, int at, int length) {
        if (bytes[at] != first) {
            return null;
        }
        for (Replacement one : replacements) {
            if (startsWith(bytes, at, length, one.from()) && endsAddress(bytes, at, length, one)) {
                return one;
            }
        }
        return null;
    }

    /** Whether the address ends there: {@code http://server/fhir2} is another one. */
    private static boolean endsAddress(byte[] bytes, int at, int length, Replacement found) {
        int next = at + found.from().length;
        return next == length
                || !(Character.isLetterOrDigit(bytes[next] & 0xff) || "_~:-".indexOf(bytes[next] & 0xff) >= 0);
    }

    private static boolean startsWith(byte[] bytes, int at, int length, byte[] prefix) {
        if (at + prefix.length > length) {
            return false;
        }
        for (int i = 1; i < prefix.length; i++) {
            if (bytes[at + i] != prefix[i]) {
                return false;
            }
        }
        return true;
    }

    /** Writes a page link's parameter with its sealed id; returns the number of bytes that it replaces. */
    private int sealPage(byte[] bytes, int at, int length, ByteArrayOutputStream out) {
        if (at >= length || bytes[at] != PAGE[0] || !startsWith(bytes, at, length, PAGE)) {
            return 0;
        }
        int id = at + PAGE.length;
        int end = id;
        while (end < length && end - id < MAX_PAGE_ID && (Character.isLetterOrDigit(bytes[end]) || bytes[end] == '-')) {
            end++;
        }
        out.writeBytes(PAGE);
        out.writeBytes(ascii(seal.apply(new String(bytes, id, end - id, StandardCharsets.US_ASCII))));
        return end - at;
    }
}
