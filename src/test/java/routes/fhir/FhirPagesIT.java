package routes.fhir;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Follows page links of a search as the caller that they were given to, as others, and changed. */
class FhirPagesIT extends FhirIT {

    private static final String RUN = "pages-" + UUID.randomUUID().toString().substring(0, 8);
    private static final String ANN = "ann-" + RUN;

    @BeforeAll
    static void createPatients() {
        for (int i = 0; i < 3; i++) {
            String patient =
                    """
                    {"resourceType": "Patient", "id": "%s-%d", "name": [{"family": "%s"}]}"""
                            .formatted(RUN, i, RUN);
            assertThat(exchange(HttpRequest.newBuilder(URI.create(server + "/Patient/" + RUN + "-" + i))
                                    .header("Content-Type", "application/fhir+json")
                                    .PUT(HttpRequest.BodyPublishers.ofString(patient)))
                            .statusCode())
                    .isEqualTo(201);
        }
    }

    @Test
    void leadToAllPagesForTheirCaller() {
        HttpResponse<String> page = search();
        Set<String> found = new TreeSet<>(ids(page));
        for (int i = 1; i < 3; i++) {
            page = get(nextPage(page), tokenOf(ANN, TENANT, i == 1 ? "system/Patient.rs" : ALL));
            assertThat(page.statusCode()).as(page.body()).isEqualTo(200);
            assertThat(page.body()).doesNotContain(server.getAuthority());
            found.addAll(ids(page));
        }
        assertThat(found).containsExactly(RUN + "-0", RUN + "-1", RUN + "-2");
    }

    private static List<String> ids(HttpResponse<String> page) {
        return json(page.body()).path("entry").findValues("resource").stream()
                .map(patient -> patient.path("id").asText())
                .toList();
    }

    @Test
    void leadNowhereForAnotherPrincipal() {
        requireNoPage(get(nextPage(search()), tokenOf("bob-" + RUN, TENANT, ALL)));
    }

    @Test
    void leadNowhereForTheSamePrincipalInAnotherTenant() {
        requireNoPage(get(nextPage(search()), tokenOf(ANN, "neighbour", ALL, "tenants.all")));
    }

    @Test
    void leadNowhereWithoutAToken() {
        assertThat(get(nextPage(search()), "").statusCode()).isEqualTo(401);
    }

    @Test
    void leadNowhereWhenTheyAreChanged() {
        String next = nextPage(search());
        String sealed = next.replaceFirst(".*_getpages=([^&]*).*", "$1");
        String token = tokenOf(ANN, TENANT, ALL);
        char first = sealed.charAt(0);
        for (String changed : List.of(
                (first == 'A' ? 'B' : 'A') + sealed.substring(1),
                sealed.substring(0, sealed.length() - 2) + (sealed.endsWith("AA") ? "BB" : "AA"),
                sealed.substring(1),
                sealed + "A",
                sealed + sealed,
                "",
                UUID.randomUUID().toString())) {
            requireNoPage(get(next.replace(sealed, changed), token));
        }
        requireNoPage(get(next + "&_getpages=" + UUID.randomUUID(), token));
        requireNoPage(get(next + "&%5Fgetpages=" + UUID.randomUUID(), token));
        requireNoPage(get(next.replace("_getpages=", "_GETPAGES=1&_getpages="), token));
        assertThat(get(next, token).statusCode()).as("the right one").isEqualTo(200);
    }

    @Test
    void leadNowhereByTheIdOfTheServer() {
        HttpResponse<String> direct =
                exchange(HttpRequest.newBuilder(URI.create(server + "/Patient?family=" + RUN + "&_count=1")));
        String id = nextPage(direct).replaceFirst(".*_getpages=([^&]*).*", "$1");
        String token = tokenOf(ANN, TENANT, ALL);

        requireNoPage(get(facade() + "?_getpages=" + id, token));
        assertThat(get(facade() + "/Patient?_getpages=" + id, token).statusCode())
                .isEqualTo(403);
        assertThat(get(facade() + "/metadata?_getpages=" + id, token).statusCode())
                .isEqualTo(403);
    }

    @Test
    void takeNoFurtherSearchParameters() {
        String next = nextPage(search());
        String token = tokenOf(ANN, TENANT, ALL);
        for (String more :
                List.of("&name=a", "&_revinclude=Observation:subject", "&_has:Observation:subject:status=a")) {
            assertThat(get(next + more, token).statusCode()).as(more).isEqualTo(400);
        }
    }

    @Test
    void needTheScopesOfTheSearchAgain() {
        HttpResponse<String> page =
                get(nextPage(search()), tokenOf(ANN, TENANT, "system/Patient.cr", "system/Basic.cruds"));

        assertThat(page.statusCode()).isEqualTo(403);
        assertThat(json(page.body()).at("/issue/0/diagnostics").asText())
                .isEqualTo("the token has no scope system/Patient.s");
    }

    private HttpResponse<String> search() {
        HttpResponse<String> first =
                get(facade() + "/Patient?family=" + RUN + "&_count=1", tokenOf(ANN, TENANT, "system/Patient.s"));
        assertThat(first.statusCode()).as(first.body()).isEqualTo(200);
        return first;
    }

    private static String nextPage(HttpResponse<String> page) {
        JsonNode links = json(page.body()).path("link");
        return StreamSupport.stream(links.spliterator(), false)
                .filter(link -> link.path("relation").asText().equals("next"))
                .map(link -> link.path("url").asText())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no next page: " + page.body()));
    }

    private static HttpResponse<String> get(String url, String authorization) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        return exchange(authorization.isEmpty() ? request : request.header("Authorization", authorization));
    }

    private static void requireNoPage(HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(404);
        assertThat(json(answer.body()).at("/issue/0/diagnostics").asText()).isEqualTo("no such page for this caller");
        assertThat(answer.body()).doesNotContain(RUN);
    }
}
