package routes.platform;

import java.util.Collection;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * One thing that is wrong with what was sent.
 *
 * @param place such as {@code query parameter limit}, or in JSON {@code /medication/name}
 * @param message what must be there, such as {@code must be at most 500}; never what was
 */
public record Violation(String place, String message) {

    /** One of very many, which is only counted. */
    public static final Violation UNTOLD = new Violation("elsewhere", "more does not fit");

    /**
     * A name that may be repeated. Ids and dates have digits or marks, names of persons begin with a capital; a short word of letters is a
     * name that somebody has made up or misspelt.
     */
    private static final Pattern WORD = Pattern.compile("[a-z][A-Za-z]{0,19}");

    private static final Pattern MARKS = Pattern.compile("[-_.]");

    /** Of a parameter whose name is not among those that are known; it is repeated only when it cannot be data. */
    public static Violation unknownParameter(String name, Collection<String> known) {
        return new Violation(
                isRepeatable(name, known) ? "query parameter " + name : "a query parameter", unknown(known));
    }

    /**
     * The same for a property of a JSON object.
     *
     * @param object where that is, empty for the whole value
     */
    public static Violation unknownProperty(String object, String name, Collection<String> known) {
        return isRepeatable(name, known)
                ? new Violation(object + "/" + name, unknown(known))
                : new Violation(object.isEmpty() ? "/" : object, "has a property that " + unknown(known));
    }

    /** The same for somebody who has sent only what is at that place, such as {@code /payload}. */
    public Violation below(String parent) {
        if (this == UNTOLD) {
            return this;
        }
        String below =
                place.startsWith(parent + "/") || place.equals(parent) ? place.substring(parent.length()) : place;
        return new Violation(below.isEmpty() ? "/" : below, message);
    }

    /** The same where a request is spoken of: what has no other place is in its body. */
    public Violation inRequest() {
        return place.startsWith("/") ? new Violation(place.equals("/") ? "body" : "body " + place, message) : this;
    }

    private static boolean isRepeatable(String name, Collection<String> known) {
        return WORD.matcher(name).matches()
                || known.stream().anyMatch(one -> spelling(one).equals(spelling(name)));
    }

    private static String spelling(String name) {
        return MARKS.matcher(name).replaceAll("").toLowerCase(Locale.ROOT);
    }

    private static String unknown(Collection<String> known) {
        return known.isEmpty() ? "is not known; there are none" : "is not known; known are " + String.join(", ", known);
    }

    @Override
    public String toString() {
        return place + ": " + message;
    }
}
