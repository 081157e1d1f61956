package routes.platform;

import java.util.Collection;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * One violation of the contract in a request or a record.
 *
 * @param place such as {@code query parameter limit}, or in JSON {@code /medication/name}
 * @param message the rule, such as {@code must be at most 500}; never the value
 */
public record Violation(String place, String message) {

    /** Stands for each violation beyond the first ones, which is only counted. */
    public static final Violation UNLISTED = new Violation("elsewhere", "more does not fit");

    /**
     * A name that an error may repeat. Ids and dates have digits or marks, names of persons begin with a capital. A
     * short lower-case word is a made-up or misspelt name.
     */
    private static final Pattern WORD = Pattern.compile("[a-z][A-Za-z]{0,19}");

    private static final Pattern MARKS = Pattern.compile("[-_.]");

    /** Reports an unknown parameter; repeats its name only when the name cannot be data. */
    public static Violation unknownParameter(String name, Collection<String> known) {
        return new Violation(
                isRepeatable(name, known) ? "query parameter " + name : "a query parameter", unknown(known));
    }

    /**
     * Reports an unknown property of a JSON object, by the same rule.
     *
     * @param object JSON pointer to the object, empty for the whole value
     */
    public static Violation unknownProperty(String object, String name, Collection<String> known) {
        return isRepeatable(name, known)
                ? new Violation(object + "/" + name, unknown(known))
                : new Violation(object.isEmpty() ? "/" : object, "has a property that " + unknown(known));
    }

    /** The same for a sender who has sent only the part at that place, such as {@code /payload}. */
    public Violation below(String parent) {
        if (this == UNLISTED) {
            return this;
        }
        String below =
                place.startsWith(parent + "/") || place.equals(parent) ? place.substring(parent.length()) : place;
        return new Violation(below.isEmpty() ? "/" : below, message);
    }

    /** The same in a request, whose JSON pointers lead into its body. */
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
