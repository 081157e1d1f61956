package bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
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

    /**
     * @param nanos sorted; a command with a due time counts from it
     * @param seconds from the first request to the last answer
     * @param again repeated requests for an effect, after a 503
     */
    record Answers(long[] nanos, double seconds, int again) {

        double millis(int percent) {
            return nanos[Math.min(nanos.length - 1, nanos.length * percent / 100)] / 1e6;
        }
    }

    /** @throws IllegalStateException for an answer other than 202 and 200 */
    Answers send(URI prescriptions, String authorization) throws Exception {
        long[] nanos = new long[count];
        Set<String> commands = ConcurrentHashMap.newKeySet();
        AtomicInteger next = new AtomicInteger();
        AtomicInteger again = new AtomicInteger();
        long began = System.nanoTime();
        Callable<Void> client = () -> {
            for (int i; (i = next.getAndIncrement()) < count; ) {
                long due = rate == 0 ? System.nanoTime() : began + i * 1_000_000_000L / rate;
                for (long early; (early = due - System.nanoTime()) > 0; ) {
                    LockSupport.parkNanos(early);
                }
                JsonNode receipt = command(prescriptions, authorization, i);
                commands.add(receipt.path("commandId").asText());
                if (awaited) {
                    again.addAndGet(effect(prescriptions, authorization, receipt));
                }
                nanos[i] = System.nanoTime() - due;
            }
            return null;
        };
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                all.add(threads.submit(client));
            }
            for (Future<Void> one : all) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        if (commands.size() != count) {
            throw new IllegalStateException(commands.size() + " different commands in " + count + " answers");
        }
        Arrays.sort(nanos);
        return new Answers(nanos, seconds, again.get());
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
