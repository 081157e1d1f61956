package routes.fhir;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import routes.platform.error.ProblemException;

/** The form of a request body. */
enum FhirFormat {
    JSON,
    XML,
    JSON_PATCH,
    XML_PATCH,
    FORM,
    NONE;

    private static final Map<String, FhirFormat> TYPES = Map.of(
            "application/fhir+json", JSON,
            "application/json", JSON,
            "text/json", JSON,
            "application/fhir+xml", XML,
            "application/xml", XML,
            "text/xml", XML,
            "application/json-patch+json", JSON_PATCH,
            "application/xml-patch+xml", XML_PATCH,
            "application/x-www-form-urlencoded", FORM);

    /**
     * Finds the form of a content type.
     *
     * @param contentType as sent, or null
     * @throws ProblemException 415 for any other type, and for any charset but UTF-8
     */
    static FhirFormat of(String contentType) {
        if (contentType == null) {
            return NONE;
        }
        try {
            MediaType type = MediaType.parseMediaType(contentType);
            FhirFormat format = TYPES.get(type.getType() + "/" + type.getSubtype());
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
