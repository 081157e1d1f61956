package routes.fhir;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.util.UriUtils;
import routes.platform.Caller;
import routes.platform.Violation;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirSettings;
import routes.platform.http.HttpLimits;
import routes.platform.http.HttpRequest;
import routes.platform.http.RequestBody;
import routes.platform.http.WaitingRequestLimiter;

/** Reads a request to the FHIR facade, and finds everything that it asks for. */
@Component("fhirRequestReader")
class FhirRequestReader {

    private static final String FACADE = "/fhir";
    private static final String IF_NONE_EXIST = "If-None-Exist";
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
    private static final String RETURN_REPRESENTATION = "return=representation";
    private static final Set<String> WITH_REPRESENTATION = Set.of("POST", "PUT", "PATCH");

    /** The longest name of RFC 1035: each link of an answer repeats it. */
    private static final int MAX_HOST = 255;

    private static final int BYTES_PER_SECOND = 1 << 16;

    private final RequestIds requestIds = new RequestIds();
    private final FhirCalls calls;
    private final FhirInteractionParser parser;
    private final PageLinks pages;
    private final BodyBudget budget;
    private final WaitingRequestLimiter waiting;
    private final FhirSettings settings;
    private final HttpLimits limits;

    FhirRequestReader(
            FhirCalls calls,
            FhirInteractionParser parser,
            PageLinks pages,
            BodyBudget budget,
            WaitingRequestLimiter waiting,
            FhirSettings settings,
            HttpLimits limits) {
        this.calls = calls;
        this.parser = parser;
        this.pages = pages;
        this.budget = budget;
        this.waiting = waiting;
        this.settings = settings;
        this.limits = limits;
    }

    /**
     * Binds the {@link FhirRequest} to the exchange.
     *
     * @throws ProblemException 400, 403, 404, 405, 408, 413, 415, 429 or 503
     */
    public void read(Exchange exchange) {
        HttpServletRequest servlet = HttpRequest.readHead(exchange);
        HttpRequest head = HttpRequest.of(exchange);
        Caller caller = head.caller();
        calls.server(caller.tenant());
        String publicUrl = publicUrl(servlet);
        AddressRewriter toServer = calls.facadeToServer(caller.tenant(), publicUrl);

        Map<String, String> headers = headers(servlet);
        FhirFormat format = FhirFormat.of(servlet.getContentType());
        byte[] body = body(exchange, servlet, caller);
        List<String> path = path(head.path());
        String query = servlet.getQueryString();
        List<FhirInteraction> interactions;
        if (PageLinks.isPage(servlet.getMethod(), path, query)) {
            PageLinks.Opened page = pages.openIn(query, caller);
            query = page.query();
            interactions = List.of(parser.parsePage(query, page.needs()));
        } else {
            FhirRequestHead asked = new FhirRequestHead(
                    servlet.getMethod(), path, query, headers.get(IF_NONE_EXIST), format, publicUrl);
            interactions = parse(asked, body, exchange);
        }
        boolean isBundle = servlet.getMethod().equals("POST") && path.isEmpty();
        prefer(headers, servlet.getMethod(), isBundle, interactions, caller);
        headers.computeIfPresent(IF_NONE_EXIST, (name, value) -> toServer.rewrite(value));
        byte[] rewritten = toServer.rewrite(body);
        if (rewritten.length > settings.maxBody().toBytes()) {
            throw new ProblemException(413, "the body has too many addresses of the facade");
        }
        new FhirRequest(
                        caller,
                        head.correlationId(),
                        head.requestId(),
                        requestIds.next(),
                        servlet.getMethod(),
                        String.join("/", path),
                        query == null ? null : toServer.rewrite(query),
                        headers,
                        rewritten,
                        format,
                        isBundle,
                        publicUrl,
                        interactions)
                .bindTo(exchange);
    }

    private List<FhirInteraction> parse(FhirRequestHead asked, byte[] body, Exchange exchange) {
        try {
            return parser.parse(asked, body);
        } catch (MethodNotAllowed e) {
            exchange.getMessage()
                    .getHeader("CamelHttpServletResponse", HttpServletResponse.class)
                    .setHeader(HttpHeaders.ALLOW, e.methods());
            throw e;
        }
    }

    private String publicUrl(HttpServletRequest servlet) {
        if (settings.publicUrl() != null) {
            return settings.publicUrl().toString();
        }
        if (servlet.getServerName().length() > MAX_HOST) {
            throw new ProblemException(400, "header Host is longer than " + MAX_HOST + " characters");
        }
        String url = servlet.getRequestURL().toString();
        return url.substring(0, url.length() - servlet.getRequestURI().length()) + FACADE;
    }

    /** The segments of the path below the facade; a slash at its end means nothing, as in {@code Patient/?name=a}. */
    private static List<String> path(String path) {
        String below = path.substring(FACADE.length(), path.length() - (path.endsWith("/") ? 1 : 0));
        if (below.isEmpty()) {
            return List.of();
        }
        return Stream.of(below.substring(1).split("/", -1))
                .map(segment -> UriUtils.decode(segment, StandardCharsets.UTF_8))
                .toList();
    }

    private static Map<String, String> headers(HttpServletRequest servlet) {
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
    private static void prefer(
            Map<String, String> headers,
            String method,
            boolean isBundle,
            List<FhirInteraction> interactions,
            Caller caller) {
        List<String> sent = Stream.of(headers.getOrDefault(PREFER, "").split("[,;]"))
                .map(String::strip)
                .filter(PREFERENCES::contains)
                .collect(Collectors.toCollection(ArrayList::new));
        if (!isBundle
                && WITH_REPRESENTATION.contains(method)
                && sent.stream().noneMatch(one -> one.startsWith(RETURN))) {
            sent.add(RETURN_REPRESENTATION);
        }
        if (showsMoreThanTheCallerMayRead(interactions, caller)) {
            sent.removeIf(one -> one.startsWith(RETURN));
            sent.add(RETURN_MINIMAL);
        }
        if (sent.isEmpty()) {
            headers.remove(PREFER);
        } else {
            headers.put(PREFER, String.join(", ", sent));
        }
    }

    /** The answer to a patch has the whole resource, of which the caller has sent only a part. */
    private static boolean showsMoreThanTheCallerMayRead(List<FhirInteraction> interactions, Caller caller) {
        SmartScopes scopes = new SmartScopes(caller.scopes());
        return interactions.stream()
                .anyMatch(one -> one.method().equals("PATCH") && !scopes.grants(new FhirPermission('r', one.type())));
    }

    private byte[] body(Exchange exchange, HttpServletRequest servlet, Caller caller) {
        long length = servlet.getContentLengthLong();
        if (length <= 0 && servlet.getHeader(HttpHeaders.TRANSFER_ENCODING) == null) {
            return new byte[0];
        }
        int most = Math.toIntExact(settings.maxBody().toBytes());
        if (length > most) {
            throw new ProblemException(413, "the body is larger than " + most + " bytes");
        }
        BodyBudget.Reservation reservation = budget.reserve(length < 0 ? most : length, exchange);
        try (WaitingRequestLimiter.Permit permit = waiting.acquire(caller)) {
            byte[] body = RequestBody.of(exchange).read(most, limits.bodyTimeout(), BYTES_PER_SECOND, length);
            reservation.shrinkTo(body.length);
            return body;
        }
    }
}
