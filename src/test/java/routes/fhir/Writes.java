package routes.fhir;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import routes.platform.Caller;

/** Makes requests that write, and answers to them. */
final class Writes {

    private Writes() {}

    /** Returns 16 letters and digits that no other call returns. */
    static String newRequestId() {
        return UUID.randomUUID().toString().replace("-", "").substring(16);
    }

    /** A write of one resource by the client {@code sandbox} of the tenant {@code default}. */
    static FhirRequest write(String requestId, String method, String type, String id) {
        return request("default", requestId, false, List.of(write(method, type, id)));
    }

    static FhirRequest bundle(String requestId, FhirInteraction... entries) {
        return request("default", requestId, true, List.of(entries));
    }

    static FhirInteraction write(String method, String type, String id) {
        return new FhirInteraction(method, type, id, true, Set.of());
    }

    static FhirInteraction read(String type, String id) {
        return new FhirInteraction("GET", type, id, false, Set.of());
    }

    static FhirRequest request(String tenant, String requestId, boolean isBundle, List<FhirInteraction> interactions) {
        return request(
                new Caller("sandbox", tenant, tenant, null, Set.of(), Set.of("system/*.cruds")),
                requestId,
                isBundle,
                interactions);
    }

    static FhirRequest request(Caller caller, String requestId, boolean isBundle, List<FhirInteraction> interactions) {
        return new FhirRequest(
                caller,
                "visit-1",
                UUID.randomUUID().toString(),
                requestId,
                isBundle ? "POST" : interactions.get(0).method(),
                "",
                null,
                Map.of(),
                new byte[0],
                FhirFormat.JSON,
                isBundle,
                "http://localhost:8080/fhir",
                interactions);
    }

    /** @param headers names in lower case and values, in turn */
    static FhirAnswer answer(int status, String body, String... headers) {
        Map<String, String> byName = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            byName.put(headers[i], headers[i + 1]);
        }
        return new FhirAnswer(status, byName, body.getBytes(StandardCharsets.UTF_8));
    }

    static Exchange exchange(FhirRequest request, FhirAnswer answer) {
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        request.bindTo(exchange);
        if (answer != null) {
            answer.bindTo(exchange);
        }
        return exchange;
    }
}
