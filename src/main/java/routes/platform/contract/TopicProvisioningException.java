package routes.platform.contract;

/** The topics of the contract are missing and cannot be created, so the runtime does not start. */
class TopicProvisioningException extends RuntimeException {

    TopicProvisioningException(String message) {
        super(message);
    }

    TopicProvisioningException(String message, Throwable cause) {
        super(message, cause);
    }
}
