package routes.fhir;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Decides which versions a write made, from the server's answer alone.
 *
 * <p>A success is no proof. An update without a change, a repeated delete and the match of a conditional create answer
 * with an older version of somebody else. So for each version that the answer names, the first of these rules counts:
 *
 * <ol>
 *   <li>The status of the interaction is not 200, 201 or 204: the version is that of somebody else.
 *   <li>HAPI's code says that it did nothing, such as {@code SUCCESSFUL_UPDATE_NO_CHANGE}: nothing happened.
 *   <li>Status 201, or HAPI's code says what it did, such as {@code SUCCESSFUL_DELETE}: the version is confirmed.
 *   <li>The answer has the resource: its {@code meta.source} ends with the request's id, and the version is confirmed;
 *       or it ends with another one, and nothing happened.
 *   <li>The request only creates resources of this type: it is the match of a conditional create.
 *   <li>The version is noted without confirmation. {@code meta.source} of the stored version tells who made it; of two
 *       deletes, the confirmed one or else the first.
 * </ol>
 *
 * <p>The write stays open when the answer tells nothing: it is malformed, or its status proves neither a success nor
 * that nothing happened, such as 202, 408 and 5xx. The same holds for each entry of a bundle. It also stays open when
 * the answer names no version of something that may have happened. HAPI does not say which resources a conditional
 * delete found.
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

    private static final int CREATED = 201;
    private static final Set<Integer> SUCCESS = Set.of(200, CREATED, 204);

    /**
     * The statuses of a server that has refused the request, and so has written nothing. Others do not prove it: 408
     * and 425 may come late, 406 may mean that the answer has no fitting form, and an unknown one may mean anything.
     */
    private static final Set<Integer> REFUSED = Set.of(
            304, 400, 401, 402, 403, 404, 405, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424,
            426, 428, 429, 431, 451, 501, 505);

    private static final Pattern STATUS = Pattern.compile("(\\d{3})(?!\\d).*", Pattern.DOTALL);

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

    /** Whether an answer with this status proves that the server has written nothing. */
    static boolean changesNothing(int status) {
        return REFUSED.contains(status);
    }

    /** Returns the effects that the answer to a write shows. */
    static Effects effects(FhirRequest request, FhirAnswer answer) {
        if (changesNothing(answer.status())) {
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
        return request.isBundle() ? rules.ofBundle(body, request.interactions()) : rules.ofResource(answer, body);
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
        return new Effects(!isSilent(entry), outcomes(List.of(entry)));
    }

    /** @param interactions whose entries the answer has in the same order */
    private Effects ofBundle(AnsweredResource body, List<FhirInteraction> interactions) {
        List<AnsweredResource.Entry> entries = body.entries();
        boolean complete = entries.size() == interactions.size()
                && IntStream.range(0, entries.size())
                        .allMatch(number -> !interactions.get(number).isWrite() || isComplete(entries.get(number)));
        return new Effects(complete, outcomes(entries));
    }

    private static boolean isComplete(AnsweredResource.Entry entry) {
        return changesNothing(status(entry)) || isSuccess(status(entry)) && !isSilent(entry);
    }

    /** Whether something may have happened that the answer does not name. */
    private static boolean isSilent(AnsweredResource.Entry entry) {
        return FhirVersion.at(entry.location()).isEmpty() && !says(entry, UNCHANGED);
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
        if (!isSuccess(status(entry)) || says(entry, UNCHANGED)) {
            return Optional.empty();
        }
        if (status(entry) == CREATED || says(entry, CHANGED)) {
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

    /** The status of an entry, such as {@code 201 Created}; 0 when it has none. */
    private static int status(AnsweredResource.Entry entry) {
        Matcher status = STATUS.matcher(entry.status() == null ? "" : entry.status());
        return status.matches() ? Integer.parseInt(status.group(1)) : 0;
    }

    private static boolean says(AnsweredResource.Entry entry, Set<String> codes) {
        return !Collections.disjoint(entry.outcome().codes(), codes);
    }
}
