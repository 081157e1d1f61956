package routes.platform.fhir;

import java.util.Locale;
import java.util.Set;

/** Tells the content types of FHIR from those of other answers. */
public final class FhirContentType {

    private static final Set<String> NAMES = Set.of(
            "application/fhir+json",
            "application/fhir+xml",
            "application/json",
            "application/xml",
            // before R4
            "application/json+fhir",
            "application/xml+fhir",
            "text/json",
            "text/xml",
            "application/fhir+turtle",
            "application/x-turtle",
            "text/turtle",
            "application/fhir+ndjson");

    private FhirContentType() {}

    /** @param contentType the value of a header {@code Content-Type}, with its parameters */
    public static boolean isFhir(String contentType) {
        return NAMES.contains(contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT));
    }
}
