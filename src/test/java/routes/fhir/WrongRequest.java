package routes.fhir;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A request whose answer is an error.
 *
 * @param status of the answer
 * @param name of the mistake
 * @param line method, target and version
 * @param headers by name
 * @param body empty for none
 * @param origin of the error
 */
record WrongRequest(int status, String name, String line, Map<String, String> headers, byte[] body, Origin origin) {

    /** A word that no answer of the facade's own repeats. */
    static final String SECRET = "5ECRE7";

    /** Who finds the mistake. */
    enum Origin {
        /** Tomcat, before it has read the headers. */
        HEAD,
        FACADE,
        SERVER
    }

    /** Begins a request that the facade refuses. */
    static WrongRequest of(int status, String name, String line) {
        return new WrongRequest(status, name, line + " HTTP/1.1", Map.of(), new byte[0], Origin.FACADE);
    }

    WrongRequest from(Origin other) {
        return new WrongRequest(status, name, line, headers, body, other);
    }

    WrongRequest inVersion(String version) {
        return new WrongRequest(status, name, line.replace("HTTP/1.1", version), headers, body, origin);
    }

    WrongRequest with(String header, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(header, value);
        return new WrongRequest(status, name, line, more, body, origin);
    }

    WrongRequest with(String text) {
        return new WrongRequest(status, name, line, headers, text.getBytes(UTF_8), origin);
    }

    /** Adds a resource in JSON. */
    WrongRequest withJson(String json) {
        return with("Content-Type", "application/fhir+json").with(json);
    }

    WrongRequest withXml(String xml) {
        return with("Content-Type", "application/fhir+xml").with(xml);
    }

    WrongRequest as(String authorization) {
        return with("Authorization", authorization);
    }

    /** Adds the parameter {@code _format} as the first one. */
    WrongRequest inFormat(String format) {
        int query = line.indexOf('?');
        int at = query < 0 ? line.lastIndexOf(' ') : query;
        String parameter = "?_format=" + format + (query < 0 ? "" : "&");
        String target = line.substring(0, at) + parameter + line.substring(query < 0 ? at : at + 1);
        return new WrongRequest(status, name, target, headers, body, origin);
    }

    /** The bytes of the request. */
    byte[] bytes() {
        StringBuilder head = new StringBuilder(line).append("\r\nHost: localhost\r\nConnection: close\r\n");
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        boolean hasLength = headers.containsKey("Content-Length") || headers.containsKey("Transfer-Encoding");
        if (body.length > 0 && !hasLength) {
            head.append("Content-Length: ").append(body.length).append("\r\n");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(head.append("\r\n").toString().getBytes(ISO_8859_1));
        bytes.writeBytes(body);
        return bytes.toByteArray();
    }

    @Override
    public String toString() {
        return status + " " + name;
    }
}
