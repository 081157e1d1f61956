package routes.fhir;

import java.security.SecureRandom;

/** Makes ids that a FHIR server keeps whole: HAPI stores 16 characters, and replaces an id with other characters. */
final class RequestIds {

    private static final String CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int LENGTH = 16;

    private final SecureRandom random = new SecureRandom();

    /** Returns 95 random bits as letters and digits. */
    String next() {
        StringBuilder id = new StringBuilder(LENGTH);
        for (int i = 0; i < LENGTH; i++) {
            id.append(CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        }
        return id.toString();
    }
}
