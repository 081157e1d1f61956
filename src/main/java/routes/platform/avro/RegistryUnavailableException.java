package routes.platform.avro;

import java.io.IOException;

/** The schema registry does not answer, or not what it should. Waiting may help. */
public class RegistryUnavailableException extends IOException {

    public RegistryUnavailableException(String message) {
        super(message);
    }

    RegistryUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
