package routes.platform.contract;

/** The topics of the contract could not be made to exist, so the runtime does not start. */
class TopicProvisioningException extends RuntimeException {

    TopicProvisioningException(String message) {
        super(message);
    }

    TopicProvisioningException(String message, Throwable cause) {
        super(message, cause);
    }
}
