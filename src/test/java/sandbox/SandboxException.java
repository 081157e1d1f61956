package sandbox;

/** Says in one line, for the person at the terminal, why a server is not there and what to do about it. */
public final class SandboxException extends RuntimeException {

    private static final long serialVersionUID = 1;

    SandboxException(String message) {
        super(message);
    }

    SandboxException(String message, Throwable cause) {
        super(message, cause);
    }
}
