package bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import routes.platform.Json;

/**
 * Sends the commands of a round.
 *
 * @param clients that send one request after the other
 * @param rate commands per second, started on time even when earlier ones are late; 0 for as fast as the answers
 * @param awaited whether a command ends when {@code GET ?after=} shows its effect, instead of with its 202
 * @param alone whether the routes that read topics are stopped meanwhile
 */
record CommandLoad(String name, int clients, int rate, int count, boolean awaited, boolean alone) {

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** @param again repeated requests for an effect, after a 503 */
    record Answers(Clients.Latencies latencies, int again) {}

    /** @throws IllegalStateException for an answer other than 202 and 200 */
    Answers send(URI prescriptions, String authorization) throws Exception {
        Set<String> commands = ConcurrentHashMap.newKeySet();
        AtomicInteger again = new AtomicInteger();
        Clients.Latencies latencies = Clients.send(clients, rate, count, i -> {
            JsonNode receipt = command(prescriptions, authorization, i);
            commands.add(receipt.path("commandId").asText());
            if (awaited) {
                again.addAndGet(effect(prescriptions, authorization, receipt));
            }
        });
        if (commands.size() != count) {
            throw new IllegalStateException(commands.size() + " different commands in " + count + " answers");
        }
        return new Answers(latencies, again.get());
    }

    private static JsonNode command(URI prescriptions, String authorization, int n) throws Exception {
        String body =
                """
                {"patientId":"patient-%d","prescriberId":"9999991695",
                 "medication":{"name":"Amoxicillin 500 MG Oral Tablet","rxnorm":"308192"},
                 "dosageInstruction":"Take one tablet three times a day with water, for a week, also when the symptoms are gone.",
                 "quantity":21,"daysSupply":7,"refills":0,"substitutionAllowed":true}"""
                        .formatted(n);
        return answer(
                HttpRequest.newBuilder(prescriptions)
                        .headers("Authorization", authorization, "Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body)),
                202);
    }

    private static int effect(URI prescriptions, String authorization, JsonNode receipt) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("%s/%s?after=%s"
                        .formatted(
                                prescriptions,
                                receipt.path("prescriptionId").asText(),
                                receipt.path("commandId").asText())))
                .header("Authorization", authorization);
        int again = 0;
        JsonNode prescription;
        while ((prescription = answer(request, 200, 503)).path("version").asInt() != 1) {
            again++;
        }
        if (!prescription.path("status").asText().equals("active")) {
            throw new IllegalStateException("the effect of a command is " + prescription);
        }
        return again;
    }

    /** Repeats a request that exceeds the limits of its client, as the answer asks; the wait counts as latency. */
    private static JsonNode answer(HttpRequest.Builder request, Integer... expected) throws Exception {
        HttpResponse<byte[]> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        while (answer.statusCode() == 429) {
            TimeUnit.SECONDS.sleep(
                    answer.headers().firstValueAsLong("Retry-After").orElseThrow());
            answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        }
        if (!List.of(expected).contains(answer.statusCode())) {
            throw new IllegalStateException("answered " + answer.statusCode() + " " + new String(answer.body()));
        }
        return Json.readObject(answer.body());
    }
}
