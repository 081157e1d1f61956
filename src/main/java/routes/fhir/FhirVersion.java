package routes.fhir;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version of a resource on the server of a tenant.
 *
 * @param type such as Patient
 * @param id of the resource
 * @param version such as 3
 */
record FhirVersion(String type, String id, String version) {

    private static final Pattern LOCATION = Pattern.compile(
            "(?:^|/)([A-Z][A-Za-z]{0,63})/([A-Za-z0-9.-]{1,64})/_history/([A-Za-z0-9.-]{1,64})(?:\\?.*)?$");

    /** Such as {@code Patient/1}. */
    String resource() {
        return type + '/' + id;
    }

    /**
     * Reads the address of a version.
     *
     * @param location such as {@code Patient/1/_history/2}, with or without a server in front of it, or null
     * @return empty when it names no version
     */
    static Optional<FhirVersion> at(String location) {
        if (location == null) {
            return Optional.empty();
        }
        Matcher parts = LOCATION.matcher(location);
        return parts.find()
                ? Optional.of(new FhirVersion(parts.group(1), parts.group(2), parts.group(3)))
                : Optional.empty();
    }
}
