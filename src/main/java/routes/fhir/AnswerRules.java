package routes.fhir;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Decides which versions a write made, from the server's answer alone.
 *
 * <p>A success is no proof. An update without a change, a repeated delete and the match of a conditional create answer
 * with an older version of somebody else. So for each version that the answer names, the first of these rules counts:
 *
 * <ol>
 *   <li>The status of the interaction is not 200, 201 or 204: nothing happened.
 *   <li>HAPI's code says that it did nothing, such as {@code SUCCESSFUL_UPDATE_NO_CHANGE}: nothing happened.
 *   <li>Status 201, or HAPI's code says what it did, such as {@code SUCCESSFUL_DELETE}: the version is confirmed.
 *   <li>The answer has the resource: its {@code meta.source} ends with the request's id, and the version is confirmed;
 *       or it ends with another one, and nothing happened.
 *   <li>The request only creates resources of this type: it is the match of a conditional create.
 *   <li>The version is noted without confirmation. {@code meta.source} of the stored version tells who made it; of two
 *       deletes, the confirmed one or else the first.
 * </ol>
 *
 * <p>The write stays open when the answer tells nothing: it is 5xx, 202 or malformed. It also stays open when the
 * answer names no version of something that may have happened. HAPI does not say which resources a conditional delete
 * found.
 */
final class AnswerRules {

    /** HAPI's codes for a success that made no version. */
    private static final Set<String> UNCHANGED = Set.of(
            "SUCCESSFUL_CREATE_WITH_CONDITIONAL_MATCH",
            "SUCCESSFUL_UPDATE_NO_CHANGE",
            "SUCCESSFUL_UPDATE_WITH_CONDITIONAL_MATCH_NO_CHANGE",
            "SUCCESSFUL_PATCH_NO_CHANGE",
            "SUCCESSFUL_CONDITIONAL_PATCH_NO_CHANGE",
            "SUCCESSFUL_DELETE_ALREADY_DELETED",
            "SUCCESSFUL_DELETE_NOT_FOUND");

    /** HAPI's codes for a success that made a version. */
    private static final Set<String> CHANGED = Set.of(
            "SUCCESSFUL_CREATE",
            "SUCCESSFUL_CREATE_NO_CONDITIONAL_MATCH",
            "SUCCESSFUL_UPDATE",
            "SUCCESSFUL_UPDATE_AS_CREATE",
            "SUCCESSFUL_UPDATE_NO_CONDITIONAL_MATCH",
            "SUCCESSFUL_UPDATE_WITH_CONDITIONAL_MATCH",
            "SUCCESSFUL_PATCH",
            "SUCCESSFUL_CONDITIONAL_PATCH",
            "SUCCESSFUL_DELETE");

    private static final Set<Integer> SUCCESS = Set.of(200, 201, 204);

    private static final int REDIRECTION = 300;
    private static final int SERVER_ERROR = 500;

    private static final Effects UNKNOWN = new Effects(false, List.of());
    private static final Effects NONE = new Effects(true, List.of());

    private final List<FhirTarget> targets;
    private final Set<String> requestIds;

    private AnswerRules(List<FhirTarget> targets, Set<String> requestIds) {
        this.targets = targets;
        this.requestIds = requestIds;
    }

    /**
     * The effects of a write.
     *
     * @param complete whether there are no others; if not, the server has to be asked
     * @param outcomes its versions, each once
     */
    record Effects(boolean complete, List<FhirOutcome> outcomes) {}

    /** Returns the effects that the answer to a write shows. */
    static Effects effects(FhirRequest request, FhirAnswer answer) {
        if (answer.status() >= REDIRECTION && answer.status() < SERVER_ERROR) {
            return NONE;
        }
        if (!isSuccess(answer.status()) || answer.body() == null) {
            return UNKNOWN;
        }
        AnsweredResource body;
        try {
            body = AnsweredResource.read(answer.body());
        } catch (IOException e) {
            return UNKNOWN;
        }
        // a server that replaces the id of the request stores its own
        Set<String> requestIds = Stream.of(request.requestId(), RequestIdEcho.of(answer))
                .filter(Objects::nonNull)
                .collect(Collectors.toSet());
        AnswerRules rules = new AnswerRules(FhirTarget.of(request), requestIds);
        return request.isBundle() ? rules.ofBundle(body) : rules.ofResource(answer, body);
    }

    /** Whether a status reports that the server has done what it was asked, in whole. */
    static boolean isSuccess(int status) {
        return SUCCESS.contains(status);
    }

    private Effects ofResource(FhirAnswer answer, AnsweredResource body) {
        String location = Stream.of("content-location", "location")
                .map(answer.headers()::get)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        var entry = new AnsweredResource.Entry(Integer.toString(answer.status()), location, body, body);
        boolean complete = FhirVersion.at(location).isPresent() || says(entry, UNCHANGED);
        return new Effects(complete, outcomes(List.of(entry)));
    }

    private Effects ofBundle(AnsweredResource body) {
        boolean silent = targets.stream().anyMatch(FhirTarget::isDeleteByQuery)
                && body.entries().stream().anyMatch(AnswerRules::isSilent);
        return new Effects(!body.entries().isEmpty() && !silent, outcomes(body.entries()));
    }

    /** Whether something may have happened that the answer does not name. */
    private static boolean isSilent(AnsweredResource.Entry entry) {
        return isSuccess(entry) && FhirVersion.at(entry.location()).isEmpty() && !says(entry, UNCHANGED);
    }

    private List<FhirOutcome> outcomes(List<AnsweredResource.Entry> entries) {
        Map<FhirVersion, Boolean> made = new LinkedHashMap<>();
        for (AnsweredResource.Entry entry : entries) {
            FhirVersion.at(entry.location())
                    .flatMap(named -> outcome(entry, named))
                    .ifPresent(outcome -> made.merge(outcome.made(), outcome.confirmed(), Boolean::logicalOr));
        }
        return made.entrySet().stream()
                .map(outcome -> new FhirOutcome(outcome.getKey(), outcome.getValue()))
                .toList();
    }

    private Optional<FhirOutcome> outcome(AnsweredResource.Entry entry, FhirVersion named) {
        if (!isSuccess(entry) || says(entry, UNCHANGED)) {
            return Optional.empty();
        }
        if (entry.status().startsWith("201") || says(entry, CHANGED)) {
            return Optional.of(new FhirOutcome(named, true));
        }
        String source = entry.resource().requestId();
        if (source != null) {
            return requestIds.contains(source) ? Optional.of(new FhirOutcome(named, true)) : Optional.empty();
        }
        return mayChange(named) ? Optional.of(new FhirOutcome(named, false)) : Optional.empty();
    }

    private boolean mayChange(FhirVersion named) {
        return targets.stream()
                .anyMatch(target -> !target.method().equals("POST")
                        && named.type().equals(target.type())
                        && (target.id() == null || target.id().equals(named.id())));
    }

    private static boolean isSuccess(AnsweredResource.Entry entry) {
        return entry.status() != null
                && SUCCESS.stream().anyMatch(status -> entry.status().startsWith(status.toString()));
    }

    private static boolean says(AnsweredResource.Entry entry, Set<String> codes) {
        return !Collections.disjoint(entry.outcome().codes(), codes);
    }
}
