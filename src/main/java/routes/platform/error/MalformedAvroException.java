package routes.platform.error;

/** What should be Avro in Confluent's wire format is not. */
public class MalformedAvroException extends ProblemException {

    public MalformedAvroException(String error) {
        super(400, error);
    }
}
