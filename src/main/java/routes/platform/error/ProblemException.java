package routes.platform.error;

import java.util.List;
import routes.platform.Violation;

/** Reports a problem to the caller, with an HTTP status. Its message names the place and the rule, never a value. */
public class ProblemException extends RuntimeException {

    private final int status;
    private final boolean temporary;
    private final transient List<Violation> violations;

    /**
     * @param status an HTTP status of 400 and above
     * @param error one line that any caller may see
     */
    public ProblemException(int status, String error) {
        this(status, error, status == 429 || status == 503, List.of());
    }

    /**
     * Reports status 400, with the first violation and the number of others in one line.
     *
     * @param violations at least one
     */
    public ProblemException(List<Violation> violations) {
        this(400, line(violations), false, List.copyOf(violations));
    }

    private ProblemException(int status, String error, boolean temporary, List<Violation> violations) {
        super(error);
        this.status = status;
        this.temporary = temporary;
        this.violations = violations;
    }

    /** Makes a temporary problem: the answer has {@code Retry-After}. */
    public static ProblemException temporary(int status, String error) {
        return new ProblemException(status, error, true, List.of());
    }

    /** Returns the first violation and the number of others, in one line. */
    public static String line(List<Violation> violations) {
        int more = violations.size() - 1;
        return violations.get(0) + (more == 0 ? "" : "; and " + more + " more");
    }

    public int status() {
        return status;
    }

    public boolean isTemporary() {
        return temporary;
    }

    /** Returns the violations; none when the problem names no places. */
    public List<Violation> violations() {
        return violations;
    }
}
