package routes.fhir;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;
import org.springframework.web.util.UriUtils;

/**
 * Replaces one base address by another in bytes that pass: the server's by the facade's in answers, and the reverse in
 * requests. It finds the address as text, percent-encoded, and with the escapes of JSON or XML. It keeps all other
 * bytes.
 *
 * <p>The server decodes what it gets, and encodes its answer in another way. So a request names the address only where
 * it ends in every reading. Otherwise {@code http://facade/fhir%41} would come back as {@code http://server/fhirA},
 * which is another address, and tells the caller of the server.
 */
final class AddressRewriter {

    /** The escapes that a text may have, besides percent-encoding. */
    enum Syntax {
        JSON('\\'),
        XML('&'),
        PLAIN('%');

        private final char introducer;

        Syntax(char introducer) {
            this.introducer = introducer;
        }

        static Syntax of(FhirFormat format) {
            return switch (format) {
                case JSON, JSON_PATCH -> JSON;
                case XML, XML_PATCH -> XML;
                case FORM, RAW, NONE -> PLAIN;
            };
        }

        /** @param contentType such as {@code application/fhir+json;charset=utf-8} */
        static Syntax of(String contentType) {
            if (contentType.contains("json")) {
                return JSON;
            }
            return contentType.contains("xml") || contentType.contains("html") ? XML : PLAIN;
        }
    }

    /** Ends a page link of HAPI, behind the base; its id follows. */
    private static final byte[] PAGE = bytes("?_getpages=");

    /** Is longer than any id of a page link. */
    private static final int MAX_PAGE_ID = 64;

    private final byte[] from;
    private final byte[] to;
    private final byte[] toWithEscapedSlashes;
    private final byte[] toEncoded;
    private final byte[] toEncodedInLowerCase;
    private final boolean isRequest;
    private final UnaryOperator<String> seal;

    private AddressRewriter(String from, String to, boolean isRequest, UnaryOperator<String> seal) {
        String encoded = UriUtils.encode(to, StandardCharsets.UTF_8);
        this.from = bytes(from);
        this.to = bytes(to);
        this.toWithEscapedSlashes = bytes(to.replace("/", "\\/"));
        this.toEncoded = bytes(encoded);
        this.toEncodedInLowerCase = bytes(encoded.replace("%3A", "%3a").replace("%2F", "%2f"));
        this.isRequest = isRequest;
        this.seal = seal;
    }

    /**
     * Rewrites what a caller says.
     *
     * @param facade the base address to find, without a slash at its end
     * @param server its replacement
     */
    static AddressRewriter ofRequest(String facade, String server) {
        return new AddressRewriter(facade, server, true, UnaryOperator.identity());
    }

    /**
     * Rewrites what a server says.
     *
     * @param server the base address to find, without a slash at its end
     * @param facade its replacement
     * @param seal turns the id of a page link into the one that the caller gets
     */
    static AddressRewriter ofAnswer(String server, String facade, UnaryOperator<String> seal) {
        return new AddressRewriter(server, facade, false, seal);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The bytes that the rewriter has to see behind a place to decide about it. */
    int lookahead() {
        return from.length * Escapes.MAX_LENGTH + PAGE.length + MAX_PAGE_ID + 2;
    }

    /** Returns the same array when it holds no address. */
    byte[] rewrite(byte[] bytes, Syntax syntax) {
        int first = find(bytes, 0, bytes.length, bytes.length, syntax);
        if (first == bytes.length) {
            return bytes;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + (bytes.length >> 3));
        out.write(bytes, 0, first);
        rewrite(bytes, first, bytes.length, true, syntax, out);
        return out.toByteArray();
    }

    /** Rewrites a query or a header. */
    String rewrite(String text) {
        return new String(rewrite(bytes(text), Syntax.PLAIN), StandardCharsets.UTF_8);
    }

    /**
     * Rewrites a piece of a stream.
     *
     * @param start of the bytes to rewrite
     * @param length of the bytes, from 0
     * @param isLast whether the stream ends with them
     * @return up to where the bytes are done; the others belong in front of the next piece
     */
    int rewrite(byte[] bytes, int start, int length, boolean isLast, Syntax syntax, ByteArrayOutputStream out) {
        int end = isLast ? length : Math.max(start, length - lookahead());
        int kept = start;
        while (true) {
            int at = find(bytes, kept, end, length, syntax);
            out.write(bytes, kept, at - kept);
            if (at == end) {
                return end;
            }
            int behind = match(bytes, at, length, syntax);
            out.writeBytes(replacement(bytes, at, behind));
            kept = behind + sealPage(bytes, behind, length, out);
            if (kept >= end) {
                return kept;
            }
        }
    }

    /** The next place of the address, or the end. */
    private int find(byte[] bytes, int start, int end, int length, Syntax syntax) {
        byte first = from[0];
        for (int i = start; i < end; i++) {
            byte one = bytes[i];
            // a backslash may itself be escaped
            boolean mayBegin = one == first || one == '%' || one == '&' && syntax == Syntax.XML;
            if (mayBegin && match(bytes, i, length, syntax) >= 0) {
                return i;
            }
        }
        return end;
    }

    /** The place behind the address that begins there, or -1. */
    private int match(byte[] bytes, int at, int length, Syntax syntax) {
        int i = at;
        for (byte expected : from) {
            if (i >= length) {
                return -1;
            }
            byte sent = bytes[i];
            if (sent == expected) {
                i++;
            } else if (sent == '%' || sent == syntax.introducer) {
                int escape = Escapes.at(bytes, i, length);
                if (escape == 0 || Escapes.character(escape) != expected) {
                    return -1;
                }
                i += Escapes.length(escape);
            } else {
                return -1;
            }
        }
        return i == length || (isRequest ? surelyEnds(bytes, i, length) : mayEnd(bytes, i, length)) ? i : -1;
    }

    /** Whether an address ends there in every reading: none continues it, whatever decodes the text. */
    private static boolean surelyEnds(byte[] bytes, int next, int length) {
        byte raw = bytes[next];
        if (raw != '\\' && raw != '&' && raw != '%') {
            return raw != ':' && !continuesName(raw);
        }
        int escape = Escapes.at(bytes, next, length);
        if (escape == 0) {
            // an ampersand that separates parameters
            return raw == '&' && (next + 1 == length || bytes[next + 1] != '#');
        }
        int decoded = Escapes.character(escape);
        return ":\\&%".indexOf(decoded) < 0 && !continuesName(decoded);
    }

    /** Whether an address may end there: {@code http://server/fhir2} is another one. */
    private static boolean mayEnd(byte[] bytes, int next, int length) {
        byte raw = bytes[next];
        boolean isPort = raw == ':' && next + 1 < length && bytes[next + 1] >= '0' && bytes[next + 1] <= '9';
        return !isPort && !continuesName(raw);
    }

    /** Letters, digits and signs of ASCII that continue the name of a host or of a path's segment. */
    private static boolean continuesName(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '~' || c == '-';
    }

    /** The new address, in the form of the old one. */
    private byte[] replacement(byte[] bytes, int at, int behind) {
        if (behind - at == from.length) {
            return to;
        }
        boolean hasEscapedSlash = false;
        for (int i = at; i < behind; i++) {
            if (bytes[i] == '%' && (behind - at) > from.length) {
                boolean isLower = bytes[i + 1] >= 'a' || bytes[i + 2] >= 'a';
                return isLower ? toEncodedInLowerCase : toEncoded;
            }
            hasEscapedSlash |= bytes[i] == '\\' && bytes[i + 1] == '/';
        }
        return hasEscapedSlash ? toWithEscapedSlashes : to;
    }

    /** Writes a page link's parameter with its sealed id; returns the number of bytes that it replaces. */
    private int sealPage(byte[] bytes, int at, int length, ByteArrayOutputStream out) {
        if (!isPage(bytes, at, length)) {
            return 0;
        }
        int id = at + PAGE.length;
        int end = id;
        while (end < length && end - id < MAX_PAGE_ID && (Character.isLetterOrDigit(bytes[end]) || bytes[end] == '-')) {
            end++;
        }
        out.writeBytes(PAGE);
        out.writeBytes(bytes(seal.apply(new String(bytes, id, end - id, StandardCharsets.US_ASCII))));
        return end - at;
    }

    private static boolean isPage(byte[] bytes, int at, int length) {
        if (at + PAGE.length > length) {
            return false;
        }
        for (int i = 0; i < PAGE.length; i++) {
            if (bytes[at + i] != PAGE[i]) {
                return false;
            }
        }
        return true;
    }
}
