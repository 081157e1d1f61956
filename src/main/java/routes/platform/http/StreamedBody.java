package routes.platform.http;

/** A request body that its route reads piece by piece, so that its fingerprint is known at its end. */
public interface StreamedBody {

    /** Reads the rest, and returns the {@link HttpRequest#digest() digest} of the whole request. */
    byte[] fingerprint();
}
