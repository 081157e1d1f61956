package routes.platform.avro;

/** Ends the start, because the schemas of the contract are not registered. */
class SchemaProvisioningException extends RuntimeException {

    SchemaProvisioningException(String message) {
        super(message);
    }

    SchemaProvisioningException(String message, Throwable cause) {
        super(message, cause);
    }
}
