package routes.fhir;

import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.camel.Exchange;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.Bundle.BundleEntryComponent;
import org.springframework.stereotype.Component;
import routes.platform.fhir.FhirClients;
import routes.platform.fhir.FhirFailure;
import routes.platform.fhir.FhirFailure.Kind;
import routes.platform.fhir.FhirSettings;

/**
 * Finds the resources that a conditional delete will find, because neither its answer nor the history names them. An
 * intent has their ids and no query, which may identify a patient.
 */
@Component("deletesByQuery")
class DeletesByQuery {

    private static final String PROPERTY = "fhirDeletesByQuery";

    private static final String DELETE = "DELETE";

    /** The types of further ones count as unknown: each search takes the time of a call. */
    private static final int MAX_SEARCHES = 20;

    /** The caller waits for the searches too, so a slow server gets no further ones. */
    private static final Duration MAX_TIME = Duration.ofSeconds(10);

    /** Most servers refuse a conditional delete that finds more than one resource. */
    private static final int MAX_FOUND = 100;

    private final FhirClients clients;
    private final FhirSettings settings;
    private final FhirResources resources;

    DeletesByQuery(FhirClients clients, FhirSettings settings, FhirResources resources) {
        this.clients = clients;
        this.settings = settings;
        this.resources = resources;
    }

    /**
     * The resources that the conditional deletes of a request will find.
     *
     * @param targets each resource
     * @param unknown types whose resources are not all among them
     */
    private record Found(Set<FhirTarget> targets, Set<String> unknown) {}

    /** Returns the targets of a request, those of its conditional deletes by the ids that {@link #find} has found. */
    static List<FhirTarget> targets(Exchange exchange) {
        Set<FhirTarget> targets = new LinkedHashSet<>(FhirTarget.of(FhirRequest.of(exchange)));
        Found found = exchange.getProperty(PROPERTY, Found.class);
        if (found != null) {
            targets.removeIf(
                    target -> target.isDeleteByQuery() && !found.unknown().contains(target.type()));
            targets.addAll(found.targets());
        }
        return new ArrayList<>(targets);
    }

    /**
     * Asks the server for the resources of each conditional delete of the request.
     *
     * @throws FhirFailure when the server does not answer; it would not answer the delete either
     */
    public void find(Exchange exchange) {
        FhirRequest request = FhirRequest.of(exchange);
        if (FhirTarget.of(request).stream().anyMatch(FhirTarget::isDeleteByQuery)) {
            Found found = new Found(new LinkedHashSet<>(), new LinkedHashSet<>());
            List<String> queries = queries(request);
            long end = System.nanoTime() + MAX_TIME.toNanos();
            for (int number = 0; number < queries.size(); number++) {
                if (number < MAX_SEARCHES && System.nanoTime() - end < 0) {
                    find(request.caller().tenant(), queries.get(number), found);
                } else {
                    found.unknown().add(typeOf(queries.get(number)));
                }
            }
            exchange.setProperty(PROPERTY, found);
        }
    }

    /** The URL of each conditional delete, below the server's base. */
    private List<String> queries(FhirRequest request) {
        if (!request.isBundle()) {
            return List.of(request.path() + "?" + request.query());
        }
        List<String> queries = new ArrayList<>();
        resources.readBundle(request.format(), request.body(), new BitSet(), entry -> {
            String url = entry.text("request.url");
            if (DELETE.equals(entry.text("request.method")) && url.indexOf('?') > 0) {
                queries.add(url);
            }
        });
        return queries;
    }

    private static String typeOf(String query) {
        return query.substring(0, query.indexOf('?'));
    }

    private void find(String tenant, String query, Found found) {
        String type = typeOf(query);
        try {
            Bundle page = clients.of(tenant)
                    .loadPage()
                    .byUrl("%s/%s&_elements=meta&_count=%d"
                            .formatted(
                                    settings.server(tenant).orElseThrow().url(), FhirCalls.encoded(query), MAX_FOUND))
                    .andReturnBundle(Bundle.class)
                    .execute();
            List<FhirTarget> targets = page.getEntry().stream()
                    .map(BundleEntryComponent::getResource)
                    .filter(resource -> resource != null && resource.fhirType().equals(type))
                    .map(resource ->
                            new FhirTarget(DELETE, type, resource.getIdElement().getIdPart(), 1))
                    .toList();
            found.targets().addAll(targets);
            if (targets.isEmpty() || page.getLink("next") != null) {
                found.unknown().add(type);
            }
        } catch (FhirFailure e) {
            if (e.kind() == Kind.DOWN) {
                throw e;
            }
            // the server refuses the query of the delete in the same way, or finds what it needs no search for
            found.unknown().add(type);
        }
    }
}
