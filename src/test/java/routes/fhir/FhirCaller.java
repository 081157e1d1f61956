package routes.fhir;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.IHttpRequest;
import ca.uhn.fhir.rest.client.api.IHttpResponse;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.hl7.fhir.instance.model.api.IBaseResource;
import routes.RawHttp;

/** Talks to a FHIR server or to the facade, with HAPI's client and without it, and records the answers. */
final class FhirCaller {

    private static final FhirContext FHIR = FhirContext.forR4();

    static {
        FHIR.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.NEVER);
        FHIR.getRestfulClientFactory().setSocketTimeout(60_000);
    }

    private final URI base;
    private final String authorization;
    private final EncodingEnum encoding;
    private final IGenericClient client;
    private final Transcript transcript;
    private final String mark = "m" + UUID.randomUUID().toString().substring(0, 8);
    private String step;

    /**
     * @param base such as {@code http://127.0.0.1:8080/fhir}
     * @param authorization header, or null
     * @param encoding of the bodies that both sides send
     */
    FhirCaller(URI base, String authorization, EncodingEnum encoding) {
        this.base = base;
        this.authorization = authorization;
        this.encoding = encoding;
        this.transcript = new Transcript(base.toString(), mark);
        client = FHIR.newRestfulGenericClient(base.toString());
        client.setEncoding(encoding);
        client.registerInterceptor(new Recorder());
    }

    /** Records each answer that HAPI's client gets. */
    public final class Recorder {

        @Hook(Pointcut.CLIENT_REQUEST)
        public void authorize(IHttpRequest request) {
            if (authorization != null) {
                request.addHeader("Authorization", authorization);
            }
        }

        @Hook(Pointcut.CLIENT_RESPONSE)
        public void record(IHttpResponse answer) throws IOException {
            answer.bufferEntity();
            InputStream body = answer.readEntity();
            String text = body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8);
            transcript.add(step, answer.getStatus(), answer.getAllHeaders(), text);
        }
    }

    IGenericClient client() {
        return client;
    }

    Transcript transcript() {
        return transcript;
    }

    /** A text that only this run has, in values and client-assigned ids. */
    String mark() {
        return mark;
    }

    String base() {
        return base.toString();
    }

    boolean isJson() {
        return encoding == EncodingEnum.JSON;
    }

    /** The media type of the encoding. */
    String mediaType() {
        return isJson() ? "application/fhir+json" : "application/fhir+xml";
    }

    /** The text of a resource in the encoding. */
    String encode(IBaseResource resource) {
        return encoding.newParser(FHIR).encodeResourceToString(resource);
    }

    /** Does one step with HAPI's client, and returns its result; null when the target refuses it. */
    <T> T ask(String name, Supplier<T> call) {
        step = name;
        try {
            return call.get();
        } catch (BaseServerResponseException e) {
            transcript.add(name, "the client throws " + e.getClass().getSimpleName() + "\n");
            return null;
        }
    }

    /**
     * Does one step without HAPI's client.
     *
     * @param line method and target below the base, such as {@code GET /Patient/1}
     * @param body null for none; else the media type of the encoding unless a header names another
     * @param headers such as {@code Prefer: return=minimal}
     */
    RawHttp.Answer send(String name, String line, String body, String... headers) {
        List<String> lines = new ArrayList<>(List.of(headers));
        lines.add("Host: " + base.getAuthority());
        lines.add("Connection: close");
        if (authorization != null) {
            lines.add("Authorization: " + authorization);
        }
        if (lines.stream().noneMatch(header -> header.startsWith("Accept:"))) {
            lines.add("Accept: " + mediaType());
        }
        byte[] bytes = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
        if (body != null) {
            lines.add("Content-Length: " + bytes.length);
            if (lines.stream().noneMatch(header -> header.startsWith("Content-Type:"))) {
                lines.add("Content-Type: " + mediaType());
            }
        }
        String target = line.replaceFirst(" ", " " + base.getRawPath());
        try {
            RawHttp.Answer answer =
                    RawHttp.send(base.getPort(), RawHttp.request(target, String.join("\r\n", lines) + "\r\n", bytes));
            transcript.add(name, answer.status(), headers(answer.head()), answer.body());
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The value of a header of an answer, or null. */
    static String header(RawHttp.Answer answer, String name) {
        return headers(answer.head()).entrySet().stream()
                .filter(header -> header.getKey().equalsIgnoreCase(name))
                .map(header -> String.join(", ", header.getValue()))
                .findFirst()
                .orElse(null);
    }

    private static Map<String, List<String>> headers(String head) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        head.lines().skip(1).forEach(line -> {
            int colon = line.indexOf(':');
            headers.computeIfAbsent(line.substring(0, colon), name -> new ArrayList<>())
                    .add(line.substring(colon + 1).strip());
        });
        return headers;
    }
}
