package routes.fhir;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import sandbox.ServerProcess;
import sandbox.Servers;

/** Calls the FHIR server of the tests as the facade does, and reads what it has made of that. */
final class Hapi {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final ServerProcess server = Servers.shared().fhirServer();

    ServerProcess server() {
        return server;
    }

    URI base() {
        return URI.create(server.address());
    }

    /**
     * Sends a write with the id of its request.
     *
     * @param path below the base, with its query
     * @param headers names and values, in turn
     */
    FhirAnswer write(FhirRequest request, String path, String body, String... headers)
            throws IOException, InterruptedException {
        return answer(http.send(outgoing(request, path, body, headers), HttpResponse.BodyHandlers.ofByteArray()));
    }

    /** Sends a write, and waits for no answer. */
    CompletableFuture<HttpResponse<byte[]>> begin(FhirRequest request, String path, String body) {
        return http.sendAsync(outgoing(request, path, body), HttpResponse.BodyHandlers.ofByteArray());
    }

    private HttpRequest outgoing(FhirRequest request, String path, String body, String... headers) {
        HttpRequest.Builder outgoing = HttpRequest.newBuilder(URI.create(server.address() + "/" + path))
                .method(request.method(), HttpRequest.BodyPublishers.ofString(body))
                .header("Content-Type", "application/fhir+json")
                .header("X-Request-ID", request.requestId());
        for (int i = 0; i < headers.length; i += 2) {
            outgoing.header(headers[i], headers[i + 1]);
        }
        return outgoing.build();
    }

    private static FhirAnswer answer(HttpResponse<byte[]> response) {
        Map<String, String> headers = new HashMap<>();
        response.headers().map().forEach((name, values) -> headers.put(name.toLowerCase(), values.get(0)));
        return new FhirAnswer(response.statusCode(), headers, response.body());
    }

    /** The versions of some resources whose source names the request. */
    Set<FhirVersion> versionsOf(String requestId, String... resources) throws IOException, InterruptedException {
        Set<FhirVersion> versions = new LinkedHashSet<>();
        for (String resource : resources) {
            for (JsonNode entry : get(resource + "/_history?_count=50").path("entry")) {
                if (entry.at("/resource/meta/source").asText().endsWith("#" + requestId)) {
                    versions.add(new FhirVersion(
                            entry.at("/resource/resourceType").asText(),
                            entry.at("/resource/id").asText(),
                            entry.at("/resource/meta/versionId").asText()));
                }
            }
        }
        return versions;
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server.address() + "/" + path))
                .build();
        return MAPPER.readTree(
                http.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
}
