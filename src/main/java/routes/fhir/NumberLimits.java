package routes.fhir;

import java.util.regex.Pattern;
import routes.platform.error.ProblemException;

/**
 * Refuses numbers that are small to send and huge to read. HAPI writes a number digit by digit, so {@code 1e999999999}
 * fills its memory; and the time for the digits of a decimal grows with their square.
 */
final class NumberLimits {

    static final int MAX_LENGTH = 256;

    private static final Pattern LARGE_EXPONENT = Pattern.compile("(?s).*[eE][+-]?[0-9]{4,}");
    private static final Pattern NUMBER = Pattern.compile("(?:[a-z]{2})?[+-]?[0-9.]+(?:[eE][+-]?[0-9]*)?");
    private static final Pattern PARTS = Pattern.compile("[,|$]");

    private NumberLimits() {}

    /** @throws ProblemException 413 for a number of JSON beyond the limits */
    static void require(String number, String place) {
        if (number.length() > MAX_LENGTH || LARGE_EXPONENT.matcher(number).matches()) {
            throw new ProblemException(
                    413, place + ": a number has more than " + MAX_LENGTH + " digits, or an exponent above 999");
        }
    }

    /**
     * Refuses a text that may be a decimal.
     *
     * @throws ProblemException 413 when it has more digits than any decimal
     */
    static void requireText(String text, String place) {
        if (text.length() > MAX_LENGTH && NUMBER.matcher(text).matches()) {
            require(text, place);
        }
    }

    /**
     * Checks the value of a search by number, such as {@code ge5.4|http://unitsofmeasure.org|mg,7}.
     *
     * @throws ProblemException 413 for a number beyond the limits
     */
    static void requireSearch(String value, String place) {
        for (String part : PARTS.split(value)) {
            if (NUMBER.matcher(part).matches()) {
                require(part, place);
            }
        }
    }
}
