package routes.fhir;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirContentType;

/** The form of a request body. */
enum FhirFormat {
    JSON,
    XML,
    JSON_PATCH,
    XML_PATCH,
    FORM,
    RAW,
    NONE;

    /** With those that FHIR had before R4. */
    private static final Map<String, FhirFormat> TYPES = Map.ofEntries(
            Map.entry("application/fhir+json", JSON),
            Map.entry("application/json", JSON),
            Map.entry("application/json+fhir", JSON),
            Map.entry("text/json", JSON),
            Map.entry("application/fhir+xml", XML),
            Map.entry("application/xml", XML),
            Map.entry("application/xml+fhir", XML),
            Map.entry("text/xml", XML),
            Map.entry("application/json-patch+json", JSON_PATCH),
            Map.entry("application/xml-patch+xml", XML_PATCH),
            Map.entry("application/x-www-form-urlencoded", FORM));

    /**
     * Finds the form of a content type.
     *
     * @param contentType as sent, or null
     * @param isBinary whether the body may be the content of a Binary, of any type
     * @throws ProblemException 415 for any other type, and for any charset but UTF-8
     */
    static FhirFormat of(String contentType, boolean isBinary) {
        if (contentType == null) {
            return NONE;
        }
        try {
            MediaType type = MediaType.parseMediaType(contentType);
            FhirFormat format = TYPES.get(type.getType() + "/" + type.getSubtype());
            // a server would parse the other forms of FHIR, which the facade cannot check
            if (format == null && isBinary && !FhirContentType.isFhir(contentType)) {
                return RAW;
            }
            if (format == null) {
                throw new ProblemException(
                        415,
                        "header Content-Type must be application/fhir+json or application/fhir+xml, or that of a patch or a form");
            }
            if (type.getCharset() != null && !type.getCharset().equals(StandardCharsets.UTF_8)) {
                throw new ProblemException(415, "the charset of header Content-Type must be UTF-8");
            }
            return format;
        } catch (InvalidMediaTypeException e) {
            throw new ProblemException(415, "header Content-Type is malformed");
        }
    }
}
