package routes.platform.error;

/** Refuses an event whose metadata is missing, invalid, or too large to be stored. */
public class InvalidMetadataException extends ProblemException {

    public InvalidMetadataException(String error) {
        super(400, error);
    }
}
