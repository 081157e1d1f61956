package routes.fhir;

import routes.platform.error.ProblemException;

/** Reports that the server has certainly not done what it was asked: a write had no effect. */
final class NotDoneException extends ProblemException {

    NotDoneException(int status, String error) {
        super(status, error);
    }
}
