package routes.platform.error;

/** An event does not say what it is, or in a way that nothing behind it could keep. */
public class InvalidMetadataException extends ProblemException {

    public InvalidMetadataException(String error) {
        super(400, error);
    }
}
