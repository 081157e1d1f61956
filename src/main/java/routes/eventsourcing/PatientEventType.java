package routes.eventsourcing;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import routes.platform.Violation;
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
    private static final List<String> GENDERS = List.of("male", "female", "other", "unknown");

    private static final Pattern LANGUAGE = Pattern.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*");
    private static final Pattern EMAIL = Pattern.compile("[^@\\s]+@[^@\\s]+");
    private static final Pattern TEXT = Pattern.compile("[^\\p{Cntrl}\\x{80}-\\x{9f}]{0,1024}");

    private static final List<String> PROPERTIES = List.of("type", "data");

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
        List<Violation> wrong = new ArrayList<>();
        body.fieldNames().forEachRemaining(name -> {
            if (!PROPERTIES.contains(name)) {
                wrong.add(Violation.unknownProperty("", name, PROPERTIES));
            }
        });
        Optional<PatientEventType> type = of(body.path("type").textValue());
        JsonNode data = body.path("data");
        if (type.isEmpty()) {
            wrong.add(new Violation(
                    "/type",
                    "must be one of "
                            + Arrays.stream(values())
                                    .map(PatientEventType::code)
                                    .collect(Collectors.joining(", "))));
        }
        if (!data.isObject()) {
            wrong.add(new Violation("/data", "must be an object"));
        } else {
            type.ifPresent(known -> known.check(data, patient, wrong));
        }
        if (!wrong.isEmpty()) {
            throw new ProblemException(wrong);
        }
        return type.orElseThrow();
    }

    private void check(JsonNode data, String patient, List<Violation> wrong) {
        data.properties().forEach(field -> {
            if (!fields.contains(field.getKey())) {
                wrong.add(Violation.unknownProperty("/data", field.getKey(), fields));
            } else if (!field.getValue().isNull()) {
                expected(field.getKey(), field.getValue(), patient)
                        .ifPresent(expected -> wrong.add(new Violation("/data/" + field.getKey(), expected)));
            }
        });
        if (needsOneOf.stream().noneMatch(data::hasNonNull)) {
            wrong.add(
                    needsOneOf.size() == 1
                            ? new Violation("/data/" + needsOneOf.get(0), "is required")
                            : new Violation("/data", "must have at least one of " + String.join(", ", needsOneOf)));
        }
    }

    /** What a field must be, when it is not. */
    private static Optional<String> expected(String name, JsonNode value, String patient) {
        String text = value.textValue();
        if (text == null) {
            return Optional.of("must be a string or null");
        }
        if (!TEXT.matcher(text).matches()) {
            return Optional.of("must be at most 1024 characters, none of them a control character");
        }
        return switch (name) {
            case "dateOfBirth" -> unless(isDate(text), "must be a date such as 1984-02-29, 1984-02 or 1984");
            case "deceasedAt" ->
                unless(
                        isDate(text) || isTime(text),
                        "must be a date such as 2024-02-29, or a time such as 2024-02-29T08:30:00Z");
            case "gender" -> unless(GENDERS.contains(text), "must be one of " + String.join(", ", GENDERS));
            case "language" -> unless(LANGUAGE.matcher(text).matches(), "must be a language such as fr or fr-CA");
            case "email" ->
                unless(text.isEmpty() || EMAIL.matcher(text).matches(), "must be an address such as a@example.org");
            case "mergedInto" ->
                unless(
                        PATIENT_ID.matcher(text).matches() && !text.equals(patient),
                        "must be the id of another patient");
            default -> Optional.empty();
        };
    }

    private static Optional<String> unless(boolean right, String expected) {
        return right ? Optional.empty() : Optional.of(expected);
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
}
