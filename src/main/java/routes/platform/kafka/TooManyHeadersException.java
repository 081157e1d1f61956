package routes.platform.kafka;

import routes.platform.error.ProblemException;

/** A record has so many headers that it is no event of ours: poison. */
class TooManyHeadersException extends ProblemException {

    TooManyHeadersException(int most) {
        super(431, "the record has more than %d headers".formatted(most));
    }
}
