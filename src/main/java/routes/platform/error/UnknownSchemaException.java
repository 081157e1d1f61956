package routes.platform.error;

/** The schema registry says that it has no schema with the id of a value, or not on the subject of its topic. */
public class UnknownSchemaException extends ProblemException {

    public UnknownSchemaException(int id) {
        super(400, "schema id " + id + " is not known to the registry");
    }

    public UnknownSchemaException(int id, String subject) {
        super(400, "schema id " + id + " is not registered on subject " + subject);
    }
}
