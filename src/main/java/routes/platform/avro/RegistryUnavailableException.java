package routes.platform.avro;

import java.io.IOException;

/** Reports a schema registry that does not answer, or gives an unexpected answer. Waiting may help. */
public class RegistryUnavailableException extends IOException {

    public RegistryUnavailableException(String message) {
        super(message);
    }

    RegistryUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
