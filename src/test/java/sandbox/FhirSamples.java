package sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

/**
 * Loads the bundles of Synthea: hospitals and practitioners, then the patients, who refer to both. Each bundle is one
 * transaction, so its first resource shows that the whole bundle is there.
 *
 * @see <a href="https://github.com/synthetichealth/synthea">Synthea</a>
 */
final class FhirSamples {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String JSON = "application/fhir+json";

    private final String base;
    private final String authorization;
    private final PrintStream out;
    private final HttpClient http = HttpClient.newHttpClient();

    /**
     * @param base address of the FHIR resources
     * @param authorization value of the header
     * @param out shows the progress
     */
    FhirSamples(String base, String authorization, PrintStream out) {
        this.base = base;
        this.authorization = authorization;
        this.out = out;
    }

    /**
     * Loads the bundles that are missing.
     *
     * @return how many were missing
     * @throws IOException with the status when the server refuses a bundle; earlier bundles stay loaded
     */
    int load() throws IOException, InterruptedException {
        List<ObjectNode> bundles = bundles();
        List<ObjectNode> missing = new ArrayList<>();
        for (ObjectNode bundle : bundles) {
            if (!isThere(bundle)) {
                missing.add(bundle);
            }
        }
        if (missing.isEmpty()) {
            out.printf("%-16s there already (%d FHIR bundles)%n", "samples", bundles.size());
        }
        for (int done = 0; done < missing.size(); done++) {
            send(HttpRequest.newBuilder(URI.create(base))
                    .header("Content-Type", JSON)
                    .POST(HttpRequest.BodyPublishers.ofString(missing.get(done).toString())));
            out.print(Samples.progress(done + 1, missing.size(), "FHIR bundles"));
        }
        return missing.size();
    }

    /** Reads the bundles in the order in which they refer to each other. */
    private static List<ObjectNode> bundles() throws IOException {
        List<Resource> files = new ArrayList<>();
        files.add(new ClassPathResource("synthea/hospitals.json"));
        files.add(new ClassPathResource("synthea/practitioners.json"));
        files.addAll(
                List.of(new PathMatchingResourcePatternResolver().getResources("classpath:synthea/patient-*.json")));
        List<ObjectNode> bundles = new ArrayList<>();
        for (Resource file : files) {
            ObjectNode bundle = (ObjectNode) MAPPER.readTree(file.getContentAsByteArray());
            // Synthea writes some as batches, of which an interruption leaves a part
            bundles.add(bundle.put("type", "transaction"));
        }
        return bundles;
    }

    private boolean isThere(JsonNode bundle) throws IOException, InterruptedException {
        JsonNode first = bundle.at("/entry/0/resource");
        JsonNode identifier = first.at("/identifier/0");
        String token = identifier.path("system").asText() + "|"
                + identifier.path("value").asText();
        JsonNode found = send(HttpRequest.newBuilder(URI.create("%s/%s?_elements=id&identifier=%s"
                .formatted(
                        base, first.path("resourceType").asText(), URLEncoder.encode(token, StandardCharsets.UTF_8)))));
        return !found.path("entry").isEmpty();
    }

    private JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<byte[]> answer = http.send(
                request.header("Authorization", authorization)
                        .header("Accept", JSON)
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() != 200) {
            throw new IOException("%s answered %d".formatted(base, answer.statusCode()));
        }
        return MAPPER.readTree(answer.body());
    }
}
