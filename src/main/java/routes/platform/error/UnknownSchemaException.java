package routes.platform.error;

/** The schema registry says that it has no schema with the id of a value. */
public class UnknownSchemaException extends ProblemException {

    public UnknownSchemaException(int id) {
        super(400, "schema id " + id + " is not known to the registry");
    }
}
