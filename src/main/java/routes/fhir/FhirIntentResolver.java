package routes.fhir;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.hl7.fhir.r4.model.Bundle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import routes.platform.Backoff;
import routes.platform.error.FailureClassifier;
import routes.platform.fhir.FhirFailure;
import routes.platform.fhir.FhirSettings;

/**
 * Finds the effects of writes whose outcome a crash, a timeout or a silent answer left open.
 *
 * <p>A version is the intent's when its {@code meta.source} ends with the id of the request. A delete shows no source.
 * It counts as the intent's when nobody else can have made it. It is the only one since the intent, apart from deletes
 * with a known maker. And no other open or unresolved intent wants to delete the resource.
 *
 * <p>Absence is no proof, because a server may commit after its client has gone. So the server is asked again, with
 * backoff, until the intent is too old. While the server does not answer, the intent stays open, whatever its age.
 */
@Component("fhirIntentResolver")
class FhirIntentResolver {

    private static final Logger LOG = LoggerFactory.getLogger(FhirIntentResolver.class);

    /** Exchange property: the URL of the next page to read; absent at the end of a run. */
    private static final String PAGE = "fhirPage";

    /** Exchange property: the tenant whose server has the page. */
    private static final String TENANT = "tenant";

    /** Intents of a tenant that one instance claims at a time. */
    private static final int CLAIM = 5;

    /** A run claims nothing more after this time, so that a shutdown does not wait for the end of a long queue. */
    private static final Duration MAX_RUN = Duration.ofSeconds(5);

    private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(30), Duration.ofMinutes(10));

    /** The time for which a server that does not answer is left alone. */
    private static final Duration PAUSE = Duration.ofSeconds(30);

    private final OpenIntentTable table;
    private final FhirIntentTable outcomes;
    private final FhirSettings settings;
    private final FailureClassifier failures;
    private final Map<OpenIntent.End, Counter> closed;
    private final Duration limit;

    /** Tenants whose server is left alone, and until when in nanoseconds. */
    private final Map<String, Long> paused = new ConcurrentHashMap<>();

    FhirIntentResolver(
            OpenIntentTable table,
            FhirIntentTable outcomes,
            FhirSettings settings,
            FailureClassifier failures,
            MeterRegistry meters,
            @Value("${event-broker.fhir.resolve-within}") Duration limit) {
        this.table = table;
        this.outcomes = outcomes;
        this.settings = settings;
        this.failures = failures;
        this.limit = limit;
        this.closed = Stream.of(OpenIntent.End.values())
                .collect(Collectors.toMap(end -> end, end -> Counter.builder("event-broker.fhir.intents.resolved")
                        .tag("state", end.name())
                        .register(meters)));
    }

    /** Claims due intents, and sets the first page to read. */
    public void begin(Exchange exchange) {
        ResolverRun run = new ResolverRun(MAX_RUN);
        run.bindTo(exchange);
        setNextPage(run, exchange);
    }

    /** Reads a page of the server, and sets the next one. */
    public void readPage(@Body Bundle page, Exchange exchange) {
        ResolverRun run = ResolverRun.of(exchange);
        EffectSearch search = run.current();
        guard(run, () -> search.read(page));
        setNextPage(run, exchange);
    }

    /** Decides what a failed call means for its intent, and sets the next page. */
    public void readFailure(Exchange exchange) {
        ResolverRun run = ResolverRun.of(exchange);
        EffectSearch search = run.current();
        OpenIntent intent = search.intent();
        FhirFailure failure =
                failures.find(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class), FhirFailure.class);
        switch (failure.kind()) {
            case GONE -> search.skip();
            case DOWN -> pause(run, intent.tenant(), failure);
            // the answer was too large, or it is not FHIR
            case UNKNOWN -> search.shrink();
            default -> {
                LOG.warn("intent {} of tenant {} waits: {}", intent.requestId(), intent.tenant(), failure.getMessage());
                search.skipUnclear();
            }
        }
        setNextPage(run, exchange);
    }

    private void pause(ResolverRun run, String tenant, FhirFailure failure) {
        LOG.warn("open intents of tenant {} wait: {}", tenant, failure.getMessage());
        paused.put(tenant, System.nanoTime() + PAUSE.toNanos());
        run.removeAll(tenant)
                .forEach(intent -> table.leaveOpen(intent, intent.asked(), intent.unclear(), intent.passes(), PAUSE));
    }

    private void setNextPage(ResolverRun run, Exchange exchange) {
        exchange.removeProperty(PAGE);
        while (run.current() != null || run.hasTime() && claim(run)) {
            EffectSearch search = run.current();
            Optional<String> page = search.nextPage();
            if (page.isPresent()) {
                String tenant = search.intent().tenant();
                exchange.setProperty(TENANT, tenant);
                exchange.setProperty(PAGE, settings.server(tenant).orElseThrow().url() + "/" + page.get());
                return;
            }
            guard(run, () -> {
                settle(search);
                run.removeCurrent();
            });
        }
    }

    private boolean claim(ResolverRun run) {
        paused.values().removeIf(until -> System.nanoTime() - until >= 0);
        Set<String> tenants = new HashSet<>(settings.servers().keySet());
        tenants.removeAll(paused.keySet());
        List<OpenIntent> claimed = table.claim(tenants, CLAIM, limit);
        run.add(claimed);
        return !claimed.isEmpty();
    }

    /** Puts the current intent off when a bug shows, so that it does not stop the others. */
    private void guard(ResolverRun run, Runnable work) {
        OpenIntent intent = run.current().intent();
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
            run.removeCurrent();
            table.leaveOpen(intent, 0, true, intent.passes() + 1, BACKOFF.max());
        }
    }

    private void settle(EffectSearch search) {
        OpenIntent intent = search.intent();
        List<FhirOutcome> made = new ArrayList<>();
        search.found().forEach(version -> made.add(new FhirOutcome(version, true)));
        boolean unclear = !addOwnDeletes(search, made) || search.isUnclear();
        if (!made.isEmpty()) {
            outcomes.noteFound(intent, made);
        }
        if (!search.isWholePass()) {
            table.leaveOpen(intent, search.end(), unclear, intent.passes(), Duration.ZERO);
            return;
        }
        Set<FhirVersion> versions = new HashSet<>(intent.noted());
        made.forEach(outcome -> versions.add(outcome.made()));
        Optional<OpenIntent.End> end = intent.end(versions, unclear);
        if (end.isPresent()) {
            table.close(intent, end.get());
            closed.get(end.get()).increment();
            log(intent, end.get(), versions.size());
        } else {
            table.leaveOpen(intent, 0, false, intent.passes() + 1, BACKOFF.delay(intent.passes() + 1));
        }
    }

    /** @return false when a delete may be that of another intent */
    private boolean addOwnDeletes(EffectSearch search, List<FhirOutcome> made) {
        if (search.deletes().isEmpty()) {
            return true;
        }
        OpenIntent intent = search.intent();
        Map<String, List<OpenIntentTable.FreeDelete>> byResource =
                table.freeDeletes(intent, search.deletes(), intent.createdAt().minus(limit)).stream()
                        .collect(Collectors.groupingBy(free ->
                                free.version().type() + '/' + free.version().id()));
        boolean clear = true;
        for (List<OpenIntentTable.FreeDelete> free : byResource.values()) {
            if (free.size() == 1 && !free.get(0).contested()) {
                made.add(new FhirOutcome(free.get(0).version(), true));
            } else {
                clear = false;
            }
        }
        return clear;
    }

    private static void log(OpenIntent intent, OpenIntent.End end, int versions) {
        if (end == OpenIntent.End.UNRESOLVED) {
            LOG.warn(
                    "intent {} of tenant {} is unresolved: the server does not tell which versions it made",
                    intent.requestId(),
                    intent.tenant());
        } else {
            LOG.info("intent {} of tenant {} is resolved: {} versions", intent.requestId(), intent.tenant(), versions);
        }
    }
}
