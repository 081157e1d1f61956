package routes.fhir;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.hl7.fhir.r4.model.Bundle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.fhir.OpenIntent.End;
import routes.fhir.OpenIntent.Progress;
import routes.platform.Backoff;
import routes.platform.error.FailureClassifier;
import routes.platform.fhir.FhirFailure;
import routes.platform.fhir.FhirFailure.Kind;
import routes.platform.fhir.FhirServerStates;
import routes.platform.fhir.FhirSettings;

/**
 * Finds the effects of writes whose outcome a crash, a timeout or a silent answer left open.
 *
 * <p>A version is the intent's when its {@code meta.source} ends with the id of the request. A delete shows no source.
 * It counts as the intent's when nobody else can have made it. It is the only one since the intent, apart from deletes
 * with a known maker. And no other open or unresolved intent wants to delete the resource.
 *
 * <p>Absence is no proof, because a server may commit after its client has gone. So the server is asked again, with
 * backoff, until the intent is too old.
 *
 * <p>Each tenant has a lane, so a slow server delays no other tenant. A server that serves nobody ends its lane for a
 * while, and its intents stay open, whatever their age. Any other failure postpones one intent alone. After many of
 * them an old intent ends unresolved.
 */
@Component("fhirIntentResolver")
class FhirIntentResolver {

    private static final Logger LOG = LoggerFactory.getLogger(FhirIntentResolver.class);

    /** Exchange property: the URL of the next page to read; absent at the end of a lane. */
    private static final String PAGE = "fhirPage";

    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(30), Duration.ofMinutes(10));

    /** For the wait for a pooled connection, and for a pause of this process. */
    private static final Duration MARGIN = Duration.ofSeconds(30);

    /** The statuses of a server that serves nobody now. */
    private static final Set<Integer> SERVES_NOBODY = Set.of(429, 502, 503);

    private final OpenIntentTable table;
    private final ResolverLanes lanes;
    private final FhirSettings settings;
    private final FhirServerStates states;
    private final FailureClassifier failures;
    private final Map<End, Counter> closed;
    private final Duration limit;
    private final Duration lease;

    FhirIntentResolver(
            OpenIntentTable table,
            ResolverLanes lanes,
            FhirSettings settings,
            FhirServerStates states,
            FailureClassifier failures,
            MeterRegistry meters,
            @Value("${event-broker.fhir.resolve-within}") Duration limit) {
        this.table = table;
        this.lanes = lanes;
        this.settings = settings;
        this.states = states;
        this.failures = failures;
        this.limit = limit;
        this.lease = ResolverLane.MAX_ASKING
                .plus(settings.connectTimeout())
                .plus(settings.responseTimeout())
                .plus(MARGIN);
        this.closed = Stream.of(End.values())
                .collect(Collectors.toMap(end -> end, end -> Counter.builder("event-broker.fhir.intents.resolved")
                        .tag("state", end.name())
                        .register(meters)));
    }

    /** Begins the lane of a tenant, claims an intent, and sets the first page to read. */
    public void begin(@Body String tenant, Exchange exchange) {
        ResolverLane lane = new ResolverLane(tenant);
        lane.bindTo(exchange);
        exchange.getExchangeExtension().addOnCompletion(new SynchronizationAdapter() {
            @Override
            public void onDone(Exchange done) {
                lanes.end(lane);
            }
        });
        setNextPage(lane, exchange);
    }

    /** Reads a page of the server, and sets the next one. */
    public void readPage(@Body Bundle page, Exchange exchange) {
        ResolverLane lane = ResolverLane.of(exchange);
        guard(lane, () -> lane.search().read(page));
        setNextPage(lane, exchange);
    }

    /** Decides what a failed call means for its intent, and sets the next page. */
    public void readFailure(Exchange exchange) {
        ResolverLane lane = ResolverLane.of(exchange);
        guard(
                lane,
                () -> readFailure(
                        lane,
                        failures.find(
                                exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class), FhirFailure.class)));
        setNextPage(lane, exchange);
    }

    private void readFailure(ResolverLane lane, FhirFailure failure) {
        EffectSearch search = lane.search();
        if (failure.kind() == Kind.GONE) {
            search.skip();
        } else if (failure.kind() == Kind.UNKNOWN) {
            // the answer was too large, or it is not FHIR
            search.shrink();
        } else if (failure.kind() != Kind.DOWN) {
            if (!search.isUnclear()) {
                logWait(search.intent(), failure);
            }
            search.skipUnclear();
        } else if (servesNobody(lane.tenant(), failure)) {
            pause(lane, failure);
        } else {
            logWait(search.intent(), failure);
            lane.end();
            fail(search);
        }
    }

    /** Tells a server that is down, of which one question says no more than that it is slow, from a bad question. */
    private boolean servesNobody(String tenant, FhirFailure failure) {
        return failure.isOfEveryCall() || SERVES_NOBODY.contains(failure.status()) || states.isDown(tenant);
    }

    private static void logWait(OpenIntent intent, FhirFailure failure) {
        LOG.warn("intent {} of tenant {} waits: {}", intent.requestId(), intent.tenant(), failure.getMessage());
    }

    private void pause(ResolverLane lane, FhirFailure failure) {
        LOG.warn("open intents of tenant {} wait: {}", lane.tenant(), failure.getMessage());
        EffectSearch search = lane.search();
        lane.close();
        Progress before = search.intent().progress();
        Effects effects = effects(search);
        table.leaveOpen(
                search.intent(),
                effects.made(),
                // the intent is not the reason, so this is no attempt
                new Progress(search.next(), effects.unclear(), before.passes(), before.attempts() - 1),
                ResolverLanes.PAUSE);
    }

    private void setNextPage(ResolverLane lane, Exchange exchange) {
        exchange.removeProperty(PAGE);
        while (lane.search() != null || lane.mayClaim() && claim(lane)) {
            EffectSearch search = lane.search();
            Optional<String> page = search.nextPage();
            if (page.isPresent() && lane.mayAsk()) {
                exchange.setProperty(
                        PAGE, settings.server(lane.tenant()).orElseThrow().url() + "/" + page.get());
                return;
            }
            guard(lane, () -> {
                lane.end();
                if (page.isEmpty()) {
                    settle(search);
                } else {
                    giveWay(search);
                }
            });
        }
    }

    private boolean claim(ResolverLane lane) {
        Optional<OpenIntent> claimed = table.claim(lane.tenant(), lease, limit);
        claimed.ifPresent(intent -> {
            // with this one, which is an attempt only when it fails
            if (intent.isHopeless(intent.progress().attempts() - 1)) {
                close(intent, Set.of(), End.UNRESOLVED);
            } else {
                lane.begin(intent);
            }
        });
        return claimed.isPresent();
    }

    /** Puts the current intent off when a bug shows, so that it does not stop the others. */
    private void guard(ResolverLane lane, Runnable work) {
        OpenIntent intent = lane.search().intent();
        try {
            work.run();
        } catch (RuntimeException e) {
            if (failures.isDependencyDown(e)) {
                throw e;
            }
            LOG.error(
                    "intent {} of tenant {} stays open: {}\n{}",
                    intent.requestId(),
                    intent.tenant(),
                    failures.describe(e),
                    failures.stack(e));
            lane.end();
            postpone(intent, Set.of(), intent.progress());
        }
    }

    /** Decides what becomes of an intent after a pass over all its targets. */
    private void settle(EffectSearch search) {
        OpenIntent intent = search.intent();
        Effects effects = effects(search);
        Set<FhirVersion> versions = new HashSet<>(intent.noted());
        versions.addAll(effects.made());
        intent.end(versions, effects.unclear()).ifPresentOrElse(end -> close(intent, effects.made(), end), () -> {
            int passes = intent.progress().passes() + 1;
            table.leaveOpen(intent, effects.made(), new Progress(0, false, passes, 0), BACKOFF.delay(passes));
        });
    }

    /** Lets other intents of the tenant go first. The next run continues where this one has come. */
    private void giveWay(EffectSearch search) {
        if (search.next() == search.intent().progress().asked()) {
            fail(search);
            return;
        }
        Effects effects = effects(search);
        int passes = search.intent().progress().passes();
        table.leaveOpen(
                search.intent(),
                effects.made(),
                new Progress(search.next(), effects.unclear(), passes, 0),
                Duration.ZERO);
    }

    /** Keeps the findings of a run that came no further. */
    private void fail(EffectSearch search) {
        Effects effects = effects(search);
        Progress before = search.intent().progress();
        int attempts = search.next() > before.asked() ? 1 : before.attempts();
        postpone(
                search.intent(),
                effects.made(),
                new Progress(search.next(), effects.unclear(), before.passes(), attempts));
    }

    private void postpone(OpenIntent intent, Set<FhirVersion> made, Progress progress) {
        if (intent.isHopeless(progress.attempts())) {
            close(intent, made, End.UNRESOLVED);
        } else {
            table.leaveOpen(intent, made, progress, BACKOFF.delay(progress.attempts()));
        }
    }

    /**
     * The effects that a search has shown.
     *
     * @param made the versions that the intent has made
     * @param unclear whether it may have made others
     */
    private record Effects(Set<FhirVersion> made, boolean unclear) {}

    private Effects effects(EffectSearch search) {
        Set<FhirVersion> made = new LinkedHashSet<>(search.found());
        boolean clear = addOwnDeletes(search, made);
        return new Effects(made, search.isUnclear() || !clear);
    }

    /** @return false when a delete may be that of another intent */
    private boolean addOwnDeletes(EffectSearch search, Set<FhirVersion> made) {
        if (search.deletes().isEmpty()) {
            return true;
        }
        OpenIntent intent = search.intent();
        Map<String, List<OpenIntentTable.FreeDelete>> byResource =
                table.freeDeletes(intent, search.deletes(), intent.createdAt().minus(limit)).stream()
                        .collect(Collectors.groupingBy(free -> free.version().resource()));
        boolean clear = true;
        for (List<OpenIntentTable.FreeDelete> free : byResource.values()) {
            if (free.size() == 1 && !free.get(0).contested()) {
                made.add(free.get(0).version());
            } else {
                clear = false;
            }
        }
        return clear;
    }

    private void close(OpenIntent intent, Set<FhirVersion> made, End end) {
        if (!table.close(intent, made, end)) {
            return;
        }
        closed.get(end).increment();
        if (end == End.UNRESOLVED) {
            LOG.warn(
                    "intent {} of tenant {} is unresolved: the server does not tell which versions it made",
                    intent.requestId(),
                    intent.tenant());
        } else {
            Set<FhirVersion> versions = new HashSet<>(intent.noted());
            versions.addAll(made);
            LOG.info(
                    "intent {} of tenant {} is resolved: {} versions",
                    intent.requestId(),
                    intent.tenant(),
                    versions.size());
        }
    }
}
