package routes.fhir;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.util.UriUtils;
import routes.platform.Caller;
import routes.platform.error.ProblemException;
import routes.platform.fhir.FhirSettings;
import routes.platform.http.FhirPath;
import routes.platform.http.HttpLimits;
import routes.platform.http.HttpRequest;
import routes.platform.http.RequestBody;
import routes.platform.http.WaitingRequestLimiter;

/** Reads a request to the FHIR facade, and finds everything that it asks for. */
@Component("fhirRequestReader")
class FhirRequestReader {

    /** The longest name of RFC 1035: each link of an answer repeats it. */
    private static final int MAX_HOST = 255;

    private static final int BYTES_PER_SECOND = 1 << 16;

    private final RequestIds requestIds = new RequestIds();
    private final FhirCalls calls;
    private final FhirInteractionParser parser;
    private final FhirAccess access;
    private final PageLinks pages;
    private final BodyBudget budget;
    private final WaitingRequestLimiter waiting;
    private final FhirSettings settings;
    private final HttpLimits limits;

    FhirRequestReader(
            FhirCalls calls,
            FhirInteractionParser parser,
            FhirAccess access,
            PageLinks pages,
            BodyBudget budget,
            WaitingRequestLimiter waiting,
            FhirSettings settings,
            HttpLimits limits) {
        this.calls = calls;
        this.parser = parser;
        this.access = access;
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

        Map<String, String> headers = FhirHeaders.read(servlet);
        List<String> path = path(head.path());
        FhirFormat format = FhirFormat.of(servlet.getContentType(), mayBeRaw(servlet.getMethod(), path));
        String query = servlet.getQueryString();
        FhirRequestHead asked = new FhirRequestHead(
                servlet.getMethod(), path, query, headers.get(FhirHeaders.IF_NONE_EXIST), format, publicUrl);
        byte[] body = new byte[0];
        List<FhirInteraction> interactions;
        if (PageLinks.isPage(asked.method(), path, query)) {
            PageLinks.Opened page = pages.openIn(query, caller);
            query = page.query();
            interactions = List.of(parser.parsePage(query, page.needs()));
        } else {
            access.checkUrl(asked, needsOfUrl(asked, exchange), caller, exchange);
            body = body(exchange, servlet, caller);
            interactions = parser.parse(asked, body);
        }
        FhirHeaders.prefer(headers, asked, interactions, caller);
        headers.computeIfPresent(FhirHeaders.IF_NONE_EXIST, (name, value) -> toServer.rewrite(value));
        byte[] rewritten = format == FhirFormat.RAW ? body : toServer.rewrite(body, AddressRewriter.Syntax.of(format));
        if (rewritten.length > settings.maxBody().toBytes()) {
            throw new ProblemException(413, "the body has too many addresses of the facade");
        }
        new FhirRequest(
                        caller,
                        head.correlationId(),
                        head.requestId(),
                        requestIds.next(),
                        asked.method(),
                        String.join("/", asked.path()),
                        query == null ? null : toServer.rewrite(query),
                        headers,
                        rewritten,
                        format,
                        asked.isBundle(),
                        publicUrl,
                        interactions)
                .bindTo(exchange);
    }

    /** Whether the body may be the content of a Binary, such as a PDF document. */
    private static boolean mayBeRaw(String method, List<String> path) {
        return !path.isEmpty()
                && path.get(0).equals("Binary")
                && (method.equals("POST") && path.size() == 1 || method.equals("PUT") && path.size() <= 2);
    }

    private Set<FhirPermission> needsOfUrl(FhirRequestHead asked, Exchange exchange) {
        try {
            return parser.needsOfUrl(asked.method(), asked.path());
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
        return url.substring(0, url.length() - servlet.getRequestURI().length()) + FhirPath.ROOT;
    }

    /** The segments of the path below the facade; a slash at its end means nothing, as in {@code Patient/?name=a}. */
    private static List<String> path(String path) {
        String below = path.substring(FhirPath.ROOT.length(), path.length() - (path.endsWith("/") ? 1 : 0));
        if (below.isEmpty()) {
            return List.of();
        }
        return Stream.of(below.substring(1).split("/", -1))
                .map(segment -> UriUtils.decode(segment, StandardCharsets.UTF_8))
                .toList();
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
        BodyBudget.Reservation reservation = budget.reserve(length < 0 ? most : length, caller.tenant(), exchange);
        try (WaitingRequestLimiter.Permit permit = waiting.acquire(caller)) {
            byte[] body = RequestBody.of(exchange).read(most, limits.bodyTimeout(), BYTES_PER_SECOND, length);
            reservation.shrinkTo(body.length);
            return body;
        }
    }
}
