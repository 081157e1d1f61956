package routes.fhir;

/** Decodes the escapes of JSON, XML and URLs: those that begin with a backslash, {@code &#65;} and {@code %41}. */
final class Escapes {

    /** The longest escape that is decoded. XML takes any number of zeros. */
    static final int MAX_LENGTH = 10;

    private static final int LENGTH = 16;
    private static final int MAX_CHARACTER = 0xffff;

    private static final String[] ENTITIES = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};
    private static final String ENTITY_CHARACTERS = "&<>\"'";
    private static final String JSON = "/\"\\bfnrt";
    private static final String JSON_CHARACTERS = "/\"\\\b\f\n\r\t";

    private Escapes() {}

    /**
     * Decodes the escape that begins at a place.
     *
     * @return 0 when none begins there
     */
    static int at(byte[] bytes, int at, int end) {
        return switch (bytes[at]) {
            case '\\' -> json(bytes, at, end);
            case '&' -> xml(bytes, at, end);
            case '%' -> number(bytes, at + 1, Math.min(end, at + 3), 16, 2, 3);
            default -> 0;
        };
    }

    /** The character of a decoded escape, at most U+FFFF. */
    static int character(int escape) {
        return escape & MAX_CHARACTER;
    }

    /** The number of bytes of a decoded escape. */
    static int length(int escape) {
        return escape >>> LENGTH;
    }

    private static int escape(int character, int length) {
        return length << LENGTH | Math.min(character, MAX_CHARACTER);
    }

    private static int json(byte[] bytes, int at, int end) {
        if (at + 1 >= end) {
            return 0;
        }
        if (bytes[at + 1] == 'u') {
            return number(bytes, at + 2, Math.min(end, at + 6), 16, 4, 6);
        }
        int simple = JSON.indexOf(bytes[at + 1]);
        return simple < 0 ? 0 : escape(JSON_CHARACTERS.charAt(simple), 2);
    }

    /** Reads a number with exactly so many digits. */
    private static int number(byte[] bytes, int from, int to, int radix, int digits, int length) {
        int number = 0;
        for (int i = from; i < to; i++) {
            int digit = bytes[i] < 0 ? -1 : Character.digit(bytes[i], radix);
            if (digit < 0) {
                return 0;
            }
            number = number * radix + digit;
        }
        return to - from == digits ? escape(number, length) : 0;
    }

    private static int xml(byte[] bytes, int at, int end) {
        int semicolon = at + 1;
        while (semicolon < end && semicolon - at < MAX_LENGTH && bytes[semicolon] != ';') {
            semicolon++;
        }
        if (semicolon >= end || bytes[semicolon] != ';') {
            return 0;
        }
        int length = semicolon + 1 - at;
        if (bytes[at + 1] == '#') {
            int radix = bytes[at + 2] == 'x' ? 16 : 10;
            int from = at + (radix == 16 ? 3 : 2);
            return from == semicolon ? 0 : number(bytes, from, semicolon, radix, semicolon - from, length);
        }
        for (int i = 0; i < ENTITIES.length; i++) {
            if (isAt(bytes, at, length, ENTITIES[i])) {
                return escape(ENTITY_CHARACTERS.charAt(i), length);
            }
        }
        return 0;
    }

    private static boolean isAt(byte[] bytes, int at, int length, String text) {
        if (length != text.length()) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (bytes[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
