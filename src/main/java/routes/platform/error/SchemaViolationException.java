package routes.platform.error;

import java.util.List;
import routes.platform.Violation;

/** Refuses a value that violates the schema of its topic. */
public class SchemaViolationException extends ProblemException {

    public SchemaViolationException(String error) {
        super(400, error);
    }

    /** @param violations at least one */
    public SchemaViolationException(List<Violation> violations) {
        super(violations);
    }

    /** @throws SchemaViolationException when there are violations */
    public static void check(List<Violation> violations) {
        if (!violations.isEmpty()) {
            throw new SchemaViolationException(violations);
        }
    }

    /** Returns the same violations for a sender of only that part, such as {@code /payload}. */
    public SchemaViolationException below(String parent) {
        return new SchemaViolationException(
                violations().stream().map(violation -> violation.below(parent)).toList());
    }
}
