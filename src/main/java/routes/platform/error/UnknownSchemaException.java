package routes.platform.error;

/** Refuses a value whose schema id the registry does not know, or not on the subject of its topic. */
public class UnknownSchemaException extends ProblemException {

    public UnknownSchemaException(int id) {
        super(400, "schema id " + id + " is not known to the registry");
    }

    public UnknownSchemaException(int id, String subject) {
        super(400, "schema id " + id + " is not registered on subject " + subject);
    }
}
