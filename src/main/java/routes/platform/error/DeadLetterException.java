package routes.platform.error;

/** A dead letter cannot be written. Its record is not finished: it waits, and says so, until its dead letter can be. */
public class DeadLetterException extends ProblemException {

    DeadLetterException(String topic, String why) {
        super(503, topic + " takes no dead letters: " + why);
    }
}
