package routes.eventsourcing;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import routes.platform.Violation;
import routes.platform.error.ProblemException;

/** Validates the patient events that callers append. */
final class PatientEventValidator {

    /** The id that a request's path allows. */
    private static final Pattern PATIENT_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,127}");

    /** FHIR date: a year, a month or a day. */
    private static final Pattern DATE = Pattern.compile("\\d{4}(-\\d{2}(-\\d{2})?)?");

    /** FHIR administrative-gender. */
    private static final List<String> GENDERS = List.of("male", "female", "other", "unknown");

    private static final Pattern LANGUAGE = Pattern.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*");
    private static final Pattern EMAIL = Pattern.compile("[^@\\s]+@[^@\\s]+");
    private static final Pattern TEXT = Pattern.compile("[^\\p{Cntrl}\\x{80}-\\x{9f}]{0,1024}");

    private static final List<String> PROPERTIES = List.of("type", "data");

    private PatientEventValidator() {}

    /**
     * Validates an event to append.
     *
     * @param body {@code {type, data}}
     * @param patient the id of the event's patient
     * @return the type
     * @throws ProblemException 400 with the violations
     */
    static PatientEventType validate(JsonNode body, String patient) {
        List<Violation> violations = new ArrayList<>();
        body.fieldNames().forEachRemaining(name -> {
            if (!PROPERTIES.contains(name)) {
                violations.add(Violation.unknownProperty("", name, PROPERTIES));
            }
        });
        Optional<PatientEventType> type = PatientEventType.of(body.path("type").textValue());
        JsonNode data = body.path("data");
        if (type.isEmpty()) {
            violations.add(new Violation(
                    "/type",
                    "must be one of "
                            + Arrays.stream(PatientEventType.values())
                                    .map(PatientEventType::code)
                                    .collect(Collectors.joining(", "))));
        }
        if (!data.isObject()) {
            violations.add(new Violation("/data", "must be an object"));
        } else {
            type.ifPresent(known -> validateData(known, data, patient, violations));
        }
        if (!violations.isEmpty()) {
            throw new ProblemException(violations);
        }
        return type.orElseThrow();
    }

    private static void validateData(PatientEventType type, JsonNode data, String patient, List<Violation> violations) {
        data.properties().forEach(field -> {
            if (!type.fields().contains(field.getKey())) {
                violations.add(Violation.unknownProperty("/data", field.getKey(), type.fields()));
            } else if (!field.getValue().isNull()) {
                requirement(field.getKey(), field.getValue(), patient)
                        .ifPresent(message -> violations.add(new Violation("/data/" + field.getKey(), message)));
            }
        });
        List<String> requiresOneOf = type.requiresOneOf();
        if (requiresOneOf.stream().noneMatch(data::hasNonNull)) {
            violations.add(
                    requiresOneOf.size() == 1
                            ? new Violation("/data/" + requiresOneOf.get(0), "is required")
                            : new Violation("/data", "must have at least one of " + String.join(", ", requiresOneOf)));
        }
    }

    /** Returns the requirement that a value violates, if any. */
    private static Optional<String> requirement(String name, JsonNode value, String patient) {
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

    private static Optional<String> unless(boolean valid, String requirement) {
        return valid ? Optional.empty() : Optional.of(requirement);
    }

    private static boolean isDate(String text) {
        // completes a year with -01-01, a month with -01
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
