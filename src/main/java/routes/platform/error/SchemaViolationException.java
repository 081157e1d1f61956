package routes.platform.error;

/** A value is not what the schema of its topic says. */
public class SchemaViolationException extends ProblemException {

    public SchemaViolationException(String error) {
        super(400, error);
    }
}
