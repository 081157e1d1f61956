package routes.eventsourcing;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Names the events of patients and the payload fields that each may carry. */
enum PatientEventType {
    PROFILE_CREATED(
            "patient.profile.created",
            List.of("firstName", "lastName"),
            List.of("middleName", "dateOfBirth", "gender", "phone", "email", "language", "street", "city", "state"),
            List.of("postalCode", "country")),
    PROFILE_UPDATED(
            "patient.profile.updated",
            List.of("firstName", "lastName", "middleName", "dateOfBirth", "gender", "language")),
    ADDRESS_UPDATED("patient.address.updated", List.of("street", "city", "state", "postalCode", "country")),
    CONTACT_UPDATED("patient.contact.updated", List.of("phone", "email", "language")),
    MERGED("patient.merged", List.of("mergedInto")),
    DECEASED("patient.deceased", List.of("deceasedAt"));

    private final String code;
    private final List<String> requiresOneOf;
    private final Set<String> fields = new LinkedHashSet<>();

    /** @param optional further fields; every type also takes a {@code reason} */
    @SafeVarargs
    PatientEventType(String code, List<String> requiresOneOf, List<String>... optional) {
        this.code = code;
        this.requiresOneOf = requiresOneOf;
        fields.addAll(requiresOneOf);
        Arrays.stream(optional).forEach(fields::addAll);
        fields.add("reason");
    }

    /** The {@code eventType}, such as {@code patient.profile.created}. */
    String code() {
        return code;
    }

    /** An event carries at least one of these fields. */
    List<String> requiresOneOf() {
        return requiresOneOf;
    }

    /** All fields that an event may carry. */
    Set<String> fields() {
        return Collections.unmodifiableSet(fields);
    }

    /** Returns the type with that code; empty for an unknown code. */
    static Optional<PatientEventType> of(String code) {
        return Arrays.stream(values()).filter(type -> type.code.equals(code)).findFirst();
    }
}
