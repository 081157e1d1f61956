package routes.fhir;

/** Reads URLs in headers and bodies, which may begin with the address of the facade. */
final class FhirUrls {

    private FhirUrls() {}

    /** The URL below the facade; one of another server stays as it is. */
    static String relative(String url, String publicUrl) {
        if (!url.startsWith(publicUrl)) {
            return url;
        }
        String rest = url.substring(publicUrl.length());
        return rest.startsWith("/") ? rest.substring(1) : rest.isEmpty() || rest.startsWith("?") ? rest : url;
    }
}
