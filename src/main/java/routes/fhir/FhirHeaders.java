package routes.fhir;

import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.springframework.http.HttpHeaders;
import routes.platform.Caller;
import routes.platform.Violation;
import routes.platform.error.ProblemException;

/** Chooses the request headers that a FHIR server gets. */
final class FhirHeaders {

    static final String IF_NONE_EXIST = "If-None-Exist";
    private static final String PREFER = "Prefer";

    /** The headers that reach the server. Others steer it: Content-Location, for one, would replace the id of a URL. */
    private static final List<String> HEADERS = List.of(
            HttpHeaders.ACCEPT,
            HttpHeaders.CONTENT_TYPE,
            HttpHeaders.IF_MATCH,
            HttpHeaders.IF_NONE_MATCH,
            HttpHeaders.IF_MODIFIED_SINCE,
            HttpHeaders.CACHE_CONTROL,
            IF_NONE_EXIST,
            PREFER);

    /** Lists, of which a caller may send several. */
    private static final Set<String> LISTS = Set.of(HttpHeaders.ACCEPT, HttpHeaders.CACHE_CONTROL, PREFER);

    private static final Set<String> PREFERENCES = Set.of(
            "return=minimal",
            "return=representation",
            "return=OperationOutcome",
            "handling=strict",
            "handling=lenient");

    private static final String RETURN = "return=";
    private static final String RETURN_MINIMAL = "return=minimal";
    private static final String RETURN_OUTCOME = "return=OperationOutcome";
    private static final String RETURN_REPRESENTATION = "return=representation";
    private static final Set<String> WITH_REPRESENTATION = Set.of("POST", "PUT", "PATCH");

    private FhirHeaders() {}

    /**
     * Reads the headers that reach the server, by their names.
     *
     * @throws ProblemException 400 when one that is no list is sent twice
     */
    static Map<String, String> read(HttpServletRequest servlet) {
        Map<String, String> headers = new LinkedHashMap<>();
        List<Violation> wrong = new ArrayList<>();
        for (String name : HEADERS) {
            List<String> sent = Collections.list(servlet.getHeaders(name));
            if (sent.size() > 1 && !LISTS.contains(name)) {
                wrong.add(new Violation("header " + name, "is given twice"));
            } else if (!sent.isEmpty()) {
                headers.put(name, String.join(", ", sent));
            }
        }
        if (!wrong.isEmpty()) {
            throw new ProblemException(wrong);
        }
        return headers;
    }

    /** Passes known preferences on; others, such as an asynchronous answer, would lead past the facade. */
    static void prefer(
            Map<String, String> headers, FhirRequestHead asked, List<FhirInteraction> interactions, Caller caller) {
        List<String> sent = Stream.of(headers.getOrDefault(PREFER, "").split("[,;]"))
                .map(String::strip)
                .filter(PREFERENCES::contains)
                .collect(Collectors.toCollection(ArrayList::new));
        if (sent.stream().filter(one -> one.startsWith(RETURN)).distinct().count() > 1) {
            throw new ProblemException(400, "header Prefer: asks for two different forms of the answer");
        }
        if (!asked.isBundle()
                && WITH_REPRESENTATION.contains(asked.method())
                && sent.stream().noneMatch(one -> one.startsWith(RETURN))) {
            sent.add(RETURN_REPRESENTATION);
        }
        if (!sent.contains(RETURN_MINIMAL) && showsMoreThanTheCallerMayRead(interactions, caller)) {
            sent.removeIf(one -> one.startsWith(RETURN));
            sent.add(RETURN_OUTCOME);
        }
        if (sent.isEmpty()) {
            headers.remove(PREFER);
        } else {
            headers.put(PREFER, String.join(", ", sent));
        }
    }

    /** The answer to an update also has the labels and tags of the version before, which HAPI keeps. */
    private static boolean showsMoreThanTheCallerMayRead(List<FhirInteraction> interactions, Caller caller) {
        List<FhirInteraction> updates =
                interactions.stream().filter(one -> one.method().equals("PUT")).toList();
        if (updates.isEmpty()) {
            return false;
        }
        SmartScopes scopes = new SmartScopes(caller.scopes());
        return updates.stream().anyMatch(one -> !scopes.grants(new FhirPermission('r', one.type())));
    }
}
