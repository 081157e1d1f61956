package routes.platform.kafka;

import routes.platform.error.ProblemException;

/** Refuses a record with more headers than any event has: poison. */
class TooManyHeadersException extends ProblemException {

    TooManyHeadersException(int most) {
        super(431, "the record has more than %d headers".formatted(most));
    }
}
