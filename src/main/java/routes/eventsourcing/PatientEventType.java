package routes.eventsourcing;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import routes.platform.error.ProblemException;

/** What happens to patients: each type has fields of which it says at least one, and others that it may say. */
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

    /** As in the path of a request. */
    private static final Pattern PATIENT_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");

    /** FHIR's date: a year, a month or a day. */
    private static final Pattern DATE = Pattern.compile("\\d{4}(-\\d{2}(-\\d{2})?)?");

    /** FHIR's administrative-gender. */
    private static final Set<String> GENDERS = Set.of("male", "female", "other", "unknown");

    private static final Pattern LANGUAGE = Pattern.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*");
    private static final Pattern EMAIL = Pattern.compile("[^@\\s]+@[^@\\s]+");
    private static final Pattern TEXT = Pattern.compile("[^\\p{Cntrl}\\x{80}-\\x{9f}]{0,1024}");

    /** Of a field that may be repeated in an error. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z]\\w{0,63}");

    private static final String REASON = "reason";

    private final String code;
    private final List<String> needsOneOf;
    private final Set<String> fields = new LinkedHashSet<>();

    @SafeVarargs
    PatientEventType(String code, List<String> needsOneOf, List<String>... others) {
        this.code = code;
        this.needsOneOf = needsOneOf;
        fields.addAll(needsOneOf);
        Arrays.stream(others).forEach(fields::addAll);
        fields.add(REASON);
    }

    /** The {@code eventType}, such as {@code patient.profile.created}. */
    String code() {
        return code;
    }

    /** The type with that code; none for one that is not known. */
    static Optional<PatientEventType> of(String code) {
        return Arrays.stream(values()).filter(type -> type.code.equals(code)).findFirst();
    }

    /**
     * Checks what is to be appended.
     *
     * @param body {@code {type, data}}
     * @param patient whom it happens to
     * @return the type
     * @throws ProblemException 400, names what is wrong and where
     */
    static PatientEventType check(JsonNode body, String patient) {
        body.fieldNames()
                .forEachRemaining(name -> require(Set.of("type", "data").contains(name), "", unknown(name)));
        PatientEventType type = of(body.path("type").textValue())
                .orElseThrow(() -> problem(
                        "/type",
                        "is not one of "
                                + Arrays.stream(values())
                                        .map(PatientEventType::code)
                                        .collect(Collectors.joining(", "))));
        JsonNode data = body.path("data");
        require(data.isObject(), "/data", "has the wrong type, expected object");
        data.properties().forEach(field -> type.check(field.getKey(), field.getValue(), patient));
        require(
                type.needsOneOf.stream().anyMatch(data::hasNonNull),
                "/data",
                type.needsOneOf.size() == 1
                        ? "required property '" + type.needsOneOf.get(0) + "' not found"
                        : "one of the properties " + String.join(", ", type.needsOneOf) + " is required");
        return type;
    }

    private void check(String name, JsonNode value, String patient) {
        if (!fields.contains(name)) {
            throw problem("/data", unknown(name) + " of " + code);
        }
        if (value.isNull()) {
            return;
        }
        String where = "/data/" + name;
        require(value.isTextual(), where, "has the wrong type, expected string");
        String text = value.textValue();
        require(TEXT.matcher(text).matches(), where, "is longer than 1024 characters, or has control characters");
        switch (name) {
            case "dateOfBirth" -> require(isDate(text), where, "is no date such as 1984-02-29, 1984-02 or 1984");
            case "deceasedAt" ->
                require(
                        isDate(text) || isTime(text),
                        where,
                        "is no date such as 2024-02-29, and no time such as 2024-02-29T08:30:00Z");
            case "gender" -> require(GENDERS.contains(text), where, "is not one of male, female, other, unknown");
            case "language" -> require(LANGUAGE.matcher(text).matches(), where, "is no language such as fr or fr-CA");
            case "email" ->
                require(text.isEmpty() || EMAIL.matcher(text).matches(), where, "is no address such as a@example.org");
            case "mergedInto" -> {
                require(PATIENT_ID.matcher(text).matches(), where, "is no patient id");
                require(!text.equals(patient), where, "is the patient's own id");
            }
            default -> {
                // any text
            }
        }
    }

    private static boolean isDate(String text) {
        // what is missing of a day: -01-01 of a year, -01 of a month
        return DATE.matcher(text).matches()
                && parses(() -> LocalDate.parse(text + "-01-01".substring(text.length() - "2024".length())));
    }

    private static boolean isTime(String text) {
        return parses(() -> OffsetDateTime.parse(text));
    }

    private static boolean parses(Runnable parse) {
        try {
            parse.run();
            return true;
        } catch (DateTimeException e) {
            return false;
        }
    }

    private static String unknown(String name) {
        return Optional.of(name)
                        .filter(known -> NAME.matcher(known).matches())
                        .map(known -> "property '" + known + "'")
                        .orElse("a property")
                + " is not known";
    }

    private static void require(boolean right, String where, String wrong) {
        if (!right) {
            throw problem(where, wrong);
        }
    }

    private static ProblemException problem(String where, String wrong) {
        return new ProblemException(400, (where.isEmpty() ? "/" : where) + ": " + wrong);
    }
}
