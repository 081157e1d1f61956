package routes.platform.avro;

/** The schemas of the contract could not be made to be registered, so the runtime does not start. */
class SchemaProvisioningException extends RuntimeException {

    SchemaProvisioningException(String message) {
        super(message);
    }

    SchemaProvisioningException(String message, Throwable cause) {
        super(message, cause);
    }
}
