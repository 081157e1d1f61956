package routes.fhir;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Date;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleEntryComponent;
import org.hl7.fhir.r4.model.Bundle.HTTPVerb;
import org.hl7.fhir.r4.model.Resource;

/**
 * Asks a server which versions one intent has made: target by target, page by page. It may stop after any page.
 *
 * <p>The history of a resource shows its versions with {@code meta.source}. Where the id is unknown, a search by
 * {@code _source} finds the resources, unless they are deleted since. A page link would lead wherever the server says,
 * so each page has an offset.
 *
 * <p>Only a version whose source ends with the id of the request counts as found. A server may ignore {@code _source}
 * or {@code _since}, or may not keep the id: then the answer is unclear.
 */
final class EffectSearch {

    private static final int MAX_PAGE = 100;
    private static final int SHRINK = 10;

    /** The rest of a longer history is left unread, and the answer is unclear. */
    private static final int MAX_PAGES = 50;

    /** The clock of the server may be slower than that of the database. */
    private static final Duration CLOCK_DIFFERENCE = Duration.ofMinutes(1);

    private final OpenIntent intent;
    private final Instant since;
    private final Deque<Question> questions = new ArrayDeque<>();
    private final Set<String> asked = new HashSet<>();
    private final Set<FhirVersion> found = new LinkedHashSet<>();
    private final Set<FhirVersion> deletes = new LinkedHashSet<>();
    private boolean unclear;
    private int size = MAX_PAGE;

    /** The content of the pages of the first question that it has read. */
    private Answer answer = new Answer();

    /**
     * @param target its number in the intent
     * @param id null for a search
     */
    private record Question(int target, String type, String id) {}

    private static final class Answer {

        private int pages;
        private int offset;

        /** Resources that a search has shown. */
        private int resources;

        private boolean ignoresSince;
        private final Set<FhirVersion> deletes = new LinkedHashSet<>();
        private final Deque<Question> next = new ArrayDeque<>();
    }

    EffectSearch(OpenIntent intent) {
        this.intent = intent;
        this.since = intent.createdAt().minus(CLOCK_DIFFERENCE).truncatedTo(ChronoUnit.MILLIS);
        this.unclear = intent.progress().unclear();
        Set<String> unfinished = intent.unfinished(intent.noted());
        List<FhirTarget> targets = intent.targets();
        for (int number = intent.progress().asked(); number < targets.size(); number++) {
            FhirTarget target = targets.get(number);
            // nothing leads to a delete without an id
            if (target.id() == null ? !target.isDelete() : unfinished.contains(target.resource())) {
                ask(new Question(number, target.type(), target.id()), questions);
            }
        }
    }

    private void ask(Question question, Deque<Question> where) {
        if (question.type() != null && asked.add(question.type() + '/' + question.id())) {
            where.add(question);
        }
    }

    OpenIntent intent() {
        return intent;
    }

    /** Returns the next page to read, below the server's base and with its query; empty when the pass is over. */
    Optional<String> nextPage() {
        Question question = questions.peek();
        if (question == null) {
            return Optional.empty();
        }
        String paging = "_count=" + size + "&_offset=" + answer.offset;
        if (question.id() == null) {
            return Optional.of("%s?_source=%%23%s&_elements=meta&_sort=_id&%s"
                    .formatted(question.type(), intent.requestId(), paging));
        }
        return Optional.of("%s/%s/_history?_since=%s&%s".formatted(question.type(), question.id(), since, paging));
    }

    /** Reads a page, and moves to the next one or to the next target. */
    void read(Bundle page) {
        Question question = questions.element();
        for (BundleEntryComponent entry : page.getEntry()) {
            read(question, entry);
        }
        int entries = page.getEntry().size();
        boolean more = entries >= size || entries > 0 && page.getLink("next") != null;
        answer.pages++;
        answer.offset += entries;
        if (question.id() == null
                && answer.resources > intent.writes(target -> question.type().equals(target.type()))) {
            // the server ignores _source: it shows resources of others, whose histories lead nowhere
            answer.next.clear();
            skipUnclear();
        } else if (!more) {
            skip();
        } else if (answer.pages >= MAX_PAGES) {
            skipUnclear();
        }
    }

    private void read(Question question, BundleEntryComponent entry) {
        if (entry.getRequest().getMethod() == HTTPVerb.DELETE) {
            boolean isOld = isBeforeTheIntent(entry.getResponse().getLastModified());
            FhirVersion.at(entry.getRequest().getUrl())
                    .filter(version -> !isOld && isToBeDeleted(version))
                    .ifPresent(answer.deletes::add);
            return;
        }
        Resource resource = entry.getResource();
        if (resource == null || !question.type().equals(resource.fhirType())) {
            // such as a warning about the search
            return;
        }
        FhirVersion version = new FhirVersion(
                question.type(),
                resource.getIdElement().getIdPart(),
                resource.getMeta().getVersionId());
        String requestId = AnsweredResource.requestId(resource.getMeta().getSource());
        if (question.id() != null && isBeforeTheIntent(resource.getMeta().getLastUpdated())) {
            answer.ignoresSince = true;
        } else if (version.id() == null || version.version() == null || isEmpty(requestId) && isToBeChanged(version)) {
            unclear = true;
        } else if (intent.requestId().equals(requestId)) {
            found.add(version);
        }
        if (question.id() == null) {
            answer.resources++;
            if (version.id() != null && mayHaveEarlierVersions(version)) {
                ask(new Question(question.target(), version.type(), version.id()), answer.next);
            }
        }
    }

    /** Whether the source names no request, so that this one may have made the version. */
    private static boolean isEmpty(String requestId) {
        return requestId == null || requestId.isEmpty();
    }

    private boolean isBeforeTheIntent(Date time) {
        return time != null && time.toInstant().isBefore(since);
    }

    /** A search shows the current version, which need not be the one with our id, nor the only one. */
    private boolean mayHaveEarlierVersions(FhirVersion version) {
        boolean isOnly = "1".equals(version.version())
                || intent.writes(target -> version.type().equals(target.type())) == 1;
        return !found.contains(version) || !isOnly;
    }

    private boolean isToBeDeleted(FhirVersion version) {
        return intent.targets().stream()
                .anyMatch(target -> target.isDelete() && target.resource().equals(version.resource()));
    }

    private boolean isToBeChanged(FhirVersion version) {
        return intent.targets().stream()
                .filter(target -> !target.isDelete() && version.type().equals(target.type()))
                .anyMatch(target -> target.id() == null || target.id().equals(version.id()));
    }

    /** Moves to the next target: the server has told about this one, or does not have it. */
    void skip() {
        if (!answer.ignoresSince) {
            deletes.addAll(answer.deletes);
        } else if (!answer.deletes.isEmpty()) {
            // a delete shows no time, so this one may be older than the intent
            unclear = true;
        }
        questions.remove();
        while (!answer.next.isEmpty()) {
            questions.addFirst(answer.next.removeLast());
        }
        answer = new Answer();
        size = MAX_PAGE;
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

    /** Returns the number of the first target that is still to be asked for; that of all targets after a whole pass. */
    int next() {
        Question question = questions.peek();
        return question == null ? intent.targets().size() : question.target();
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
