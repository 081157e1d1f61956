package routes.deadletter;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import routes.platform.Violation;
import routes.platform.error.ProblemException;

/**
 * A request to reprocess all dead letters that match a filter.
 *
 * @param rate dead letters per second
 * @param reason null when the request gives none
 */
record ReprocessRequest(DeadLetterFilter filter, int rate, String reason) {

    static final int MAX_RATE = 10_000;

    /**
     * @param body an object with the filter's fields, {@code all}, {@code rate} and {@code reason}
     * @param defaultRate of a request without a rate
     * @throws ProblemException 400 when the body has neither a filter nor {@code all}, or both
     */
    static ReprocessRequest of(JsonNode body, int defaultRate) {
        DeadLetterFilter filter = DeadLetterFilter.of(body);
        // a forgotten field must not select every dead letter
        boolean all = body.path("all").asBoolean();
        if (all && filter.isSelective()) {
            throw new ProblemException(
                    List.of(new Violation("/all", "is true, although there is a filter: omit one of them")));
        }
        if (!all && !filter.isSelective()) {
            throw new ProblemException(
                    400,
                    "no dead letters are selected: give one or more of "
                            + String.join(", ", DeadLetterFilter.names())
                            + ", or \"all\": true for every NEW dead letter of the tenant");
        }
        return new ReprocessRequest(
                filter,
                body.path("rate").asInt(defaultRate),
                body.path("reason").textValue());
    }
}
