package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import routes.platform.Violation;
import routes.platform.error.ProblemException;

/**
 * Which letters are to be sent again, how fast, and why.
 *
 * @param rate letters per second
 * @param reason null when none is given
 */
record ReprocessRequest(DeadLetterFilter filter, int rate, String reason) {

    static final int MAX_RATE = 10_000;

    /**
     * @param body an object of the filter's fields, {@code all}, {@code rate} and {@code reason}, as the contract has them
     * @param defaultRate of an order that names none
     * @throws ProblemException 400 when no letters are named, or both all and some
     */
    static ReprocessRequest of(JsonNode body, int defaultRate) {
        DeadLetterFilter filter = DeadLetterFilter.of(body);
        // a field that is left away by mistake must not mean every letter
        boolean all = body.path("all").asBoolean();
        if (all && filter.namesLetters()) {
            throw new ProblemException(
                    List.of(new Violation("/all", "is true, and yet there is a filter: leave one of them away")));
        }
        if (!all && !filter.namesLetters()) {
            throw new ProblemException(
                    400,
                    "no letters are named: give " + String.join(", ", DeadLetterFilter.names())
                            + ", one or more of them, or \"all\": true for every NEW letter of the tenant");
        }
        return new ReprocessRequest(
                filter,
                body.path("rate").asInt(defaultRate),
                body.path("reason").textValue());
    }
}
