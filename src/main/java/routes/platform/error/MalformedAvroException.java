package routes.platform.error;

/** Refuses a value that is not Avro in Confluent's wire format. */
public class MalformedAvroException extends ProblemException {

    public MalformedAvroException(String error) {
        super(400, error);
    }
}
