package sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

/**
 * Publishes prescriptions from the MedicationRequests of synthetic patients, so that a newcomer's first GET shows data.
 * Idempotency keys keep an interrupted or repeated start from duplicates.
 *
 * @see <a href="https://hl7.org/fhir/R4/medicationrequest.html">FHIR R4 MedicationRequest</a>
 */
final class Samples {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int BAR = 20;

    private Samples() {}

    static void publish(String runtime, Tokens tokens) throws IOException, InterruptedException {
        List<ObjectNode> prescriptions = prescriptions();
        HttpClient client = HttpClient.newHttpClient();
        if (areThere(client, runtime, tokens, prescriptions)) {
            System.out.printf("%-16s there already (%d prescriptions)%n", "samples", prescriptions.size());
            return;
        }
        for (int done = 0; done < prescriptions.size(); done++) {
            ObjectNode prescription = prescriptions.get(done);
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(URI.create(runtime + "/api/topics/medication.prescription.created/events"))
                            .header("Authorization", tokens.sandbox())
                            .header("Content-Type", "application/json")
                            .header(
                                    "Idempotency-Key",
                                    "sample-" + prescription.path("id").asText())
                            .POST(HttpRequest.BodyPublishers.ofString(prescription.toString()))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 202) {
                throw new IOException("the runtime answered " + response.statusCode() + ": " + response.body());
            }
            System.out.print(progress(done + 1, prescriptions.size(), "prescriptions"));
        }
    }

    /** Tells whether the pharmacy has an order for each prescription. */
    private static boolean areThere(HttpClient client, String runtime, Tokens tokens, List<ObjectNode> prescriptions)
            throws IOException, InterruptedException {
        Set<String> patients = new HashSet<>();
        Set<String> missing = new HashSet<>();
        for (ObjectNode prescription : prescriptions) {
            patients.add(prescription.path("patientId").asText());
            missing.add(prescription.path("id").asText());
        }
        for (String patient : patients) {
            HttpResponse<byte[]> orders = client.send(
                    HttpRequest.newBuilder(URI.create(runtime + "/api/pharmacy-orders?limit=500&patientId=" + patient))
                            .header("Authorization", tokens.sandbox())
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            MAPPER.readTree(orders.body()).findValuesAsText("prescriptionId").forEach(missing::remove);
        }
        return missing.isEmpty();
    }

    /** Draws a line that the next one overwrites, until all are done. */
    static String progress(int done, int total, String what) {
        int filled = BAR * done / total;
        return "%-16s [%s%s] %d of %d %s%s"
                .formatted(
                        "samples",
                        "#".repeat(filled),
                        " ".repeat(BAR - filled),
                        done,
                        total,
                        what,
                        done == total ? "\n" : "\r");
    }

    /** Makes one prescription for each MedicationRequest of {@code synthea/patient-*.json}. */
    static List<ObjectNode> prescriptions() throws IOException {
        List<ObjectNode> prescriptions = new ArrayList<>();
        for (Resource bundle :
                new PathMatchingResourcePatternResolver().getResources("classpath:synthea/patient-*.json")) {
            for (JsonNode entry :
                    MAPPER.readTree(bundle.getContentAsByteArray()).path("entry")) {
                JsonNode resource = entry.path("resource");
                if (resource.path("resourceType").asText().equals("MedicationRequest")) {
                    prescriptions.add(prescription(resource));
                }
            }
        }
        return prescriptions;
    }

    private static ObjectNode prescription(JsonNode request) {
        JsonNode medication = request.path("medicationCodeableConcept");
        ObjectNode prescription = MAPPER.createObjectNode();
        prescription.put("id", request.path("id").asText());
        prescription.put("patientId", request.at("/subject/reference").asText().replace("urn:uuid:", ""));
        prescription.put(
                "prescriberId", after('|', request.at("/requester/reference").asText()));
        prescription
                .putObject("medication")
                .put("name", medication.path("text").asText())
                .put("rxnorm", medication.at("/coding/0/code").asText());
        prescription.put(
                "dosageInstruction", request.at("/dosageInstruction/0/text").asText());
        return prescription;
    }

    private static String after(char separator, String text) {
        return text.substring(text.indexOf(separator) + 1);
    }
}
