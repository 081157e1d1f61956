package routes.platform.fhir;

import java.io.IOException;

/** Ends a call whose answer is larger than {@code event-broker.fhir.max-own-answer}. */
final class AnswerTooLargeException extends IOException {

    AnswerTooLargeException() {
        super("the answer is too large");
    }
}
