package sandbox;

/** Tells the person at the terminal in one line why a server is down, and the remedy. */
public final class SandboxException extends RuntimeException {

    private static final long serialVersionUID = 1;

    SandboxException(String message) {
        super(message);
    }

    SandboxException(String message, Throwable cause) {
        super(message, cause);
    }
}
