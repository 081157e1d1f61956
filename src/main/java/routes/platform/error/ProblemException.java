package routes.platform.error;

import java.util.List;
import routes.platform.Violation;

/** Something that the other side did, with the HTTP status that says so. Its message names what is wrong and where, never a value. */
public class ProblemException extends RuntimeException {

    private final int status;
    private final boolean temporary;
    private final transient List<Violation> violations;

    /**
     * @param status an HTTP status of 400 and above
     * @param error one line that may be shown to anybody
     */
    public ProblemException(int status, String error) {
        this(status, error, status == 429 || status == 503, List.of());
    }

    /**
     * 400, in one line the first thing that is wrong, and how many more.
     *
     * @param violations all of them, at least one
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

    /** One that goes away by itself: the answer says when to come again. */
    public static ProblemException temporary(int status, String error) {
        return new ProblemException(status, error, true, List.of());
    }

    /** The first of them, and how many more there are. */
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

    /** What is wrong and where; none when that is not known place by place. */
    public List<Violation> violations() {
        return violations;
    }
}
