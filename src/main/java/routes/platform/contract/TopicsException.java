package routes.platform.contract;

/** The topics of the contract could not be made to exist, so the runtime does not start. */
class TopicsException extends RuntimeException {

    TopicsException(String message) {
        super(message);
    }

    TopicsException(String message, Throwable cause) {
        super(message, cause);
    }
}
