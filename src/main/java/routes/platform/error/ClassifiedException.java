package routes.platform.error;

/** Reports a failure whose class its thrower knows. Its message holds ids, types and statuses only. */
public abstract class ClassifiedException extends RuntimeException {

    /** @param message any operator may see it */
    protected ClassifiedException(String message) {
        super(message);
    }

    /** Returns the reaction to this failure. */
    public abstract FailureClassifier.Kind failureKind();
}
