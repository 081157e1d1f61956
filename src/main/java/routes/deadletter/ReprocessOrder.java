package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import routes.platform.error.ProblemException;

/**
 * Which letters are to be sent again, how fast, and why.
 *
 * @param rate letters per second
 * @param reason null when none is given
 */
record ReprocessOrder(DeadLetterFilter filter, int rate, String reason) {

    static final int MAX_RATE = 10_000;

    private static final int MAX_REASON = 256;

    /** In place of a filter: a field that is left away by mistake must not mean every letter. */
    private static final String ALL = "all";

    private static final List<String> FIELDS = fields();

    /**
     * @param body an object of the filter's fields, {@code all}, {@code rate} and {@code reason}
     * @param defaultRate of an order that names none
     * @throws ProblemException 400 names the first field that is wrong, or that no letters are named
     */
    static ReprocessOrder of(JsonNode body, int defaultRate) {
        body.fieldNames().forEachRemaining(name -> {
            if (!FIELDS.contains(name)) {
                throw new ProblemException(400, unknown(name));
            }
        });
        ReprocessOrder order = new ReprocessOrder(
                DeadLetterFilter.of(body), rate(body.path("rate"), defaultRate), reason(body.path("reason")));
        checkAll(body.path(ALL), order.filter());
        return order;
    }

    private static void checkAll(JsonNode all, DeadLetterFilter filter) {
        if (isGiven(all) && !all.isBoolean()) {
            throw new ProblemException(400, "/all: expected true or false");
        }
        if (filter.namesLetters() && all.asBoolean()) {
            throw new ProblemException(400, "/all: is true, and yet there is a filter: leave one of them away");
        }
        if (!filter.namesLetters() && !all.asBoolean()) {
            throw new ProblemException(
                    400,
                    "no letters are named: give " + String.join(", ", DeadLetterFilter.NAMING)
                            + ", one or more of them, or \"all\": true for every NEW letter of the tenant");
        }
    }

    private static int rate(JsonNode rate, int defaultRate) {
        if (!isGiven(rate)) {
            return defaultRate;
        }
        if (!(rate.canConvertToInt() && rate.isIntegralNumber() && rate.asInt() >= 1 && rate.asInt() <= MAX_RATE)) {
            throw new ProblemException(400, "/rate: expected a whole number from 1 to " + MAX_RATE);
        }
        return rate.asInt();
    }

    private static String reason(JsonNode reason) {
        if (isGiven(reason)
                && !(reason.isTextual() && Envelope.plain(reason.asText()).isPresent())) {
            throw new ProblemException(400, "/reason: expected a text of 1 to " + MAX_REASON + " characters");
        }
        return reason.textValue();
    }

    private static boolean isGiven(JsonNode field) {
        return !field.isMissingNode() && !field.isNull();
    }

    /** A name that was sent is repeated only when it looks like one. */
    private static String unknown(String name) {
        return (name.matches("[A-Za-z][\\w.-]{0,63}") ? "/" + name + ": is not known" : "a field is not known")
                + ", there are " + String.join(", ", FIELDS);
    }

    private static List<String> fields() {
        List<String> fields = new ArrayList<>(DeadLetterFilter.FIELDS);
        fields.addAll(List.of(ALL, "rate", "reason"));
        return List.copyOf(fields);
    }
}
