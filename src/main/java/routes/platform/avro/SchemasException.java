package routes.platform.avro;

/** The schemas of the contract could not be made to be registered, so the runtime does not start. */
class SchemasException extends RuntimeException {

    SchemasException(String message) {
        super(message);
    }

    SchemasException(String message, Throwable cause) {
        super(message, cause);
    }
}
