package sandbox;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Fetches a token once for each client of the token issuer; it is valid for an hour. */
public final class Tokens {

    private final String issuer;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, String> tokens = new ConcurrentHashMap<>();

    /** @param issuer its address */
    public Tokens(String issuer) {
        this.issuer = issuer;
    }

    /**
     * Returns the {@code Authorization} header of the client {@code sandbox}, which may do everything in the tenant
     * {@code default}.
     */
    public String sandbox() {
        return of("sandbox");
    }

    /**
     * Returns an {@code Authorization} header.
     *
     * @param client {@code sandbox}, {@code reader} or {@code other}
     * @param scopes requested scopes; all scopes of the client when empty
     */
    public String of(String client, String... scopes) {
        return "Bearer " + tokens.computeIfAbsent(client + " " + String.join(" ", scopes), c -> fetch(client, scopes));
    }

    private String fetch(String client, String... scopes) {
        String form = "grant_type=client_credentials"
                + (scopes.length == 0
                        ? ""
                        : "&scope=" + String.join("+", scopes).replace("*", "%2A"));
        HttpRequest request = HttpRequest.newBuilder(URI.create(issuer + "/oauth2/token"))
                .header("Authorization", "Basic " + base64(client + ":" + client + "-secret"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form))
                .build();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new SandboxException(
                        "the token issuer answered %d: %s".formatted(answer.statusCode(), answer.body()));
            }
            return new ObjectMapper()
                    .readTree(answer.body())
                    .path("access_token")
                    .asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
