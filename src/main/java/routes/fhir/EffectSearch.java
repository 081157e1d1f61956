package routes.fhir;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleEntryComponent;
import org.hl7.fhir.r4.model.Bundle.HTTPVerb;
import org.hl7.fhir.r4.model.Resource;

/**
 * Asks a server which versions one intent has made: a part of a pass over its targets, page by page.
 *
 * <p>The history of a resource shows its versions with {@code meta.source}. Where the id is unknown, a search by
 * {@code _source} finds the resources, unless they are deleted since. A page link would lead wherever the server says,
 * so each page has an offset.
 */
final class EffectSearch {

    /** Targets of one part: others wait while it runs. */
    private static final int MAX_TARGETS = 25;

    private static final int MAX_PAGE = 100;
    private static final int SHRINK = 10;

    /** The rest of a longer history is left unread, and the answer is unclear. */
    private static final int MAX_PAGES = 50;

    /** The clock of the server may be slower than that of the database. */
    private static final Duration CLOCK_DIFFERENCE = Duration.ofMinutes(1);

    private final OpenIntent intent;
    private final Deque<Question> questions = new ArrayDeque<>();
    private final Set<String> asked = new HashSet<>();
    private final Set<FhirVersion> found = new LinkedHashSet<>();
    private final Set<FhirVersion> deletes = new LinkedHashSet<>();

    /** The first target that this part leaves for the next one. */
    private final int end;

    private boolean unclear;
    private int size = MAX_PAGE;
    private int offset;
    private int pages;

    /** @param id null for a search */
    private record Question(String type, String id) {}

    EffectSearch(OpenIntent intent) {
        this.intent = intent;
        this.unclear = intent.unclear();
        int target = intent.asked();
        for (; target < intent.targets().size() && questions.size() < MAX_TARGETS; target++) {
            ask(intent.targets().get(target));
        }
        this.end = target;
    }

    private void ask(FhirTarget target) {
        boolean noted = intent.noted().stream().anyMatch(version -> isOf(target, version));
        // nothing leads to a delete without an id
        if (!noted && (target.id() != null || !target.isDelete())) {
            ask(target.type(), target.id());
        }
    }

    private void ask(String type, String id) {
        if (type != null && asked.add(type + '/' + id)) {
            questions.add(new Question(type, id));
        }
    }

    private static boolean isOf(FhirTarget target, FhirVersion version) {
        return version.type().equals(target.type()) && version.id().equals(target.id());
    }

    OpenIntent intent() {
        return intent;
    }

    /** Returns the next page to read, below the server's base and with its query; empty when this part is over. */
    Optional<String> nextPage() {
        Question question = questions.peek();
        if (question == null) {
            return Optional.empty();
        }
        String paging = "_count=" + size + "&_offset=" + offset;
        if (question.id() == null) {
            return Optional.of("%s?_source=%%23%s&_elements=meta&_sort=_id&%s"
                    .formatted(question.type(), intent.requestId(), paging));
        }
        return Optional.of("%s/%s/_history?_since=%s&%s"
                .formatted(
                        question.type(),
                        question.id(),
                        intent.createdAt().minus(CLOCK_DIFFERENCE).truncatedTo(ChronoUnit.MILLIS),
                        paging));
    }

    /** Reads a page, and moves to the next one or to the next target. */
    void read(Bundle page) {
        Question question = questions.element();
        for (BundleEntryComponent entry : page.getEntry()) {
            read(question, entry);
        }
        int entries = page.getEntry().size();
        boolean more = entries >= size || entries > 0 && page.getLink("next") != null;
        pages++;
        offset += entries;
        if (!more) {
            skip();
        } else if (pages >= MAX_PAGES) {
            skipUnclear();
        }
    }

    private void read(Question question, BundleEntryComponent entry) {
        if (entry.getRequest().getMethod() == HTTPVerb.DELETE) {
            FhirVersion.at(entry.getRequest().getUrl())
                    .filter(this::isToBeDeleted)
                    .ifPresent(deletes::add);
            return;
        }
        Resource resource = entry.getResource();
        if (resource == null || !question.type().equals(resource.fhirType())) {
            // such as a warning about the search
            return;
        }
        String id = resource.getIdElement().getIdPart();
        String version = resource.getMeta().getVersionId();
        if (intent.requestId()
                .equals(AnsweredResource.requestId(resource.getMeta().getSource()))) {
            found.add(new FhirVersion(question.type(), id, version));
        }
        if (question.id() == null && mayHaveEarlierVersions(question.type(), id, version)) {
            ask(question.type(), id);
        }
    }

    /** A search shows the current version, which need not be the one with our id, nor the only one. */
    private boolean mayHaveEarlierVersions(String type, String id, String version) {
        boolean isOurs = found.contains(new FhirVersion(type, id, version));
        boolean isOnly = "1".equals(version)
                || intent.targets().stream()
                                .filter(target -> type.equals(target.type()))
                                .mapToInt(FhirTarget::count)
                                .sum()
                        == 1;
        return !isOurs || !isOnly;
    }

    private boolean isToBeDeleted(FhirVersion version) {
        return intent.targets().stream().anyMatch(target -> target.isDelete() && isOf(target, version));
    }

    /** Moves to the next target: the server does not have this one. */
    void skip() {
        questions.remove();
        size = MAX_PAGE;
        offset = 0;
        pages = 0;
    }

    /** Reads the page again in smaller ones, because its answer was too large, or moves on if there is none. */
    void shrink() {
        if (size == 1) {
            skipUnclear();
        } else {
            size /= SHRINK;
        }
    }

    /** Moves to the next target: the server does not tell about this one. */
    void skipUnclear() {
        unclear = true;
        skip();
    }

    /** Whether every target of the intent has been asked for in this pass. */
    boolean isWholePass() {
        return end == intent.targets().size();
    }

    int end() {
        return end;
    }

    boolean isUnclear() {
        return unclear;
    }

    /** The versions whose source names the intent. */
    Set<FhirVersion> found() {
        return found;
    }

    /** The deletes since the intent of resources that it wanted to delete: one of them may be its own. */
    Set<FhirVersion> deletes() {
        return deletes;
    }
}
