package routes.fhir;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An intent whose effects are not known.
 *
 * @param createdAt before the server learned of the write
 * @param answered whether the server has reported a success, so that it shows all effects now
 * @param expired whether the search for effects ends with this pass
 * @param asked the targets that this pass has asked for already
 * @param unclear whether one of them has no clear answer
 * @param passes the passes over all targets that did not close it
 * @param noted the versions that are known already
 */
record OpenIntent(
        String requestId,
        String tenant,
        Instant createdAt,
        boolean answered,
        boolean expired,
        List<FhirTarget> targets,
        int asked,
        boolean unclear,
        int passes,
        Set<FhirVersion> noted) {

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

    private boolean isComplete(Collection<FhirVersion> versions) {
        Set<String> made = versions.stream()
                .map(version -> version.type() + '/' + version.id())
                .collect(Collectors.toSet());
        boolean allNamed = withId().allMatch(target -> made.contains(target.type() + '/' + target.id()));
        return allNamed
                && targets.stream()
                        .filter(target -> target.id() == null)
                        .allMatch(target -> isComplete(target, versions));
    }

    /** Whether the server has made or found as many resources of the type as the request asks for without an id. */
    private boolean isComplete(FhirTarget target, Collection<FhirVersion> versions) {
        Set<String> named = withId().filter(other -> Objects.equals(other.type(), target.type()))
                .map(FhirTarget::id)
                .collect(Collectors.toSet());
        int asked = targets.stream()
                .filter(other -> other.id() == null && Objects.equals(other.type(), target.type()))
                .mapToInt(FhirTarget::count)
                .sum();
        long made = versions.stream()
                .filter(version -> version.type().equals(target.type()) && !named.contains(version.id()))
                .count();
        return !target.isDeleteByQuery() && made >= asked;
    }

    private Stream<FhirTarget> withId() {
        return targets.stream().filter(target -> target.id() != null);
    }
}
