package routes.platform.error;

/** Reports a dead letter that cannot be written. Its record is held until the topic accepts the dead letter. */
public class DeadLetterException extends ProblemException {

    DeadLetterException(String topic, String why) {
        super(503, topic + " accepts no dead letters: " + why);
    }
}
