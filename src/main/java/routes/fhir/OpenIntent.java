package routes.fhir;

import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * An intent whose effects are not known.
 *
 * @param createdAt before the server learned of the write
 * @param answered whether the server has reported a success, so that it shows all effects now
 * @param expired whether the search for effects ends with this pass
 * @param noted the versions that are known already
 * @param leasedUntil the end of this run's lease, which no other run has
 */
record OpenIntent(
        String requestId,
        String tenant,
        Instant createdAt,
        boolean answered,
        boolean expired,
        List<FhirTarget> targets,
        Set<FhirVersion> noted,
        Progress progress,
        Instant leasedUntil) {

    /** An expired intent ends after so many consecutive runs that came no further: with the backoff, after an hour. */
    static final int MAX_ATTEMPTS = 10;

    /**
     * The progress of the search for the effects.
     *
     * @param asked the targets that this pass has asked for already
     * @param unclear whether one of them has no clear answer
     * @param passes the passes over all targets that did not close the intent
     * @param attempts the consecutive runs that came no further, with the one that has the lease
     */
    record Progress(int asked, boolean unclear, int passes, int attempts) {}

    /** The end of an intent. */
    enum End {
        /** All its effects are known. */
        DONE,
        /** The server knows no version of it. */
        NO_EFFECT,
        /** Nobody can tell, such as when another intent may have made the delete. */
        UNRESOLVED
    }

    /**
     * Decides after a pass over all targets how the intent ends.
     *
     * @param versions those that it has made
     * @param unclear whether the pass had an answer that does not tell
     * @return empty when the server is to be asked again
     */
    Optional<End> end(Collection<FhirVersion> versions, boolean unclear) {
        if (isComplete(versions)) {
            return Optional.of(End.DONE);
        }
        if (!expired && (unclear || !answered)) {
            return Optional.empty();
        }
        // nothing leads to a resource that a query has found and deleted
        boolean isHidden = answered && targets.stream().anyMatch(FhirTarget::isDeleteByQuery);
        if (unclear || isHidden) {
            return Optional.of(End.UNRESOLVED);
        }
        return Optional.of(versions.isEmpty() ? End.NO_EFFECT : End.DONE);
    }

    /** Whether enough runs have ended without an answer, or with the death of their process. */
    boolean isHopeless(int attempts) {
        return expired && attempts >= MAX_ATTEMPTS;
    }

    /**
     * Returns the resources with an id, such as {@code Patient/1}, of which the request may have made more versions.
     *
     * @param versions those that it has made
     */
    Set<String> unfinished(Collection<FhirVersion> versions) {
        Map<String, Integer> missing = new HashMap<>();
        targets.stream()
                .filter(target -> target.id() != null)
                .forEach(target -> missing.merge(target.resource(), target.count(), Integer::sum));
        versions.forEach(version -> missing.computeIfPresent(version.resource(), (resource, number) -> number - 1));
        missing.values().removeIf(number -> number <= 0);
        return missing.keySet();
    }

    /** The number of interactions that the request asks for with these targets: each makes one version at most. */
    int writes(Predicate<FhirTarget> which) {
        return targets.stream().filter(which).mapToInt(FhirTarget::count).sum();
    }

    private boolean isComplete(Collection<FhirVersion> versions) {
        return unfinished(versions).isEmpty()
                && targets.stream()
                        .filter(target -> target.id() == null)
                        .allMatch(target -> isComplete(target, versions));
    }

    /** Whether the server has made as many versions of the type as the request asks for without an id. */
    private boolean isComplete(FhirTarget target, Collection<FhirVersion> versions) {
        Predicate<FhirTarget> isOfType = other -> Objects.equals(other.type(), target.type());
        Set<String> named = targets.stream()
                .filter(isOfType.and(other -> other.id() != null))
                .map(FhirTarget::id)
                .collect(Collectors.toSet());
        long made = versions.stream()
                .filter(version -> version.type().equals(target.type()) && !named.contains(version.id()))
                .count();
        return !target.isDeleteByQuery() && made >= writes(isOfType.and(other -> other.id() == null));
    }
}
