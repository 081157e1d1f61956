package routes.platform.http;

/** The path of the FHIR facade, whose requests and errors have FHIR's form. */
public final class FhirPath {

    public static final String ROOT = "/fhir";

    private FhirPath() {}

    /** Whether a path is that of the facade, or below it. */
    public static boolean isFhir(String path) {
        return path.equals(ROOT) || path.startsWith(ROOT + "/");
    }
}
