package routes.platform.fhir;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.CacheControlDirective;
import ca.uhn.fhir.rest.api.Constants;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.RequestFormatParamStyleEnum;
import ca.uhn.fhir.rest.api.SummaryEnum;
import ca.uhn.fhir.rest.client.api.IHttpRequest;
import ca.uhn.fhir.rest.client.impl.BaseHttpClientInvocation;
import ca.uhn.fhir.rest.client.impl.GenericClient;
import ca.uhn.fhir.rest.client.impl.RestfulClientFactory;
import ca.uhn.fhir.rest.client.method.HttpGetClientInvocation;
import ca.uhn.fhir.rest.client.method.IClientResponseHandler;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.http.HttpHeaders;
import routes.platform.fhir.FhirSettings.Server;

/**
 * Calls the server of one tenant. Every failure is a {@link FhirFailure}. Calls of all threads may share it, as long as
 * nobody changes its settings.
 */
final class TenantFhirClient extends GenericClient {

    private final FailureReader failures;
    private final CallObserver observer;

    /** Learns how each call ends. */
    interface CallObserver {

        /** @param failure null after a success */
        void ended(long nanos, FhirFailure failure);
    }

    TenantFhirClient(
            FhirContext context,
            RestfulClientFactory factory,
            Server server,
            FailureReader failures,
            CallObserver observer) {
        super(context, null, server.url().toString(), factory);
        this.failures = failures;
        this.observer = observer;
        setDontValidateConformance(true);
        setEncoding(EncodingEnum.JSON);
        setFormatParamStyle(RequestFormatParamStyleEnum.NONE);
        registerInterceptor(new RequestHook(server, failures));
    }

    @Override
    protected <T> T invokeClient(
            FhirContext context,
            IClientResponseHandler<T> handler,
            BaseHttpClientInvocation invocation,
            EncodingEnum encoding,
            Boolean pretty,
            boolean log,
            SummaryEnum summary,
            Set<String> elements,
            CacheControlDirective caching,
            String accept,
            Map<String, List<String>> headers) {
        long begin = System.nanoTime();
        FhirFailure failure = null;
        try {
            return super.invokeClient(
                    context, handler, invocation, encoding, pretty, false, summary, elements, caching, accept, headers);
        } catch (FhirFailure e) {
            failure = e;
            throw failure;
        } catch (FailedCall e) {
            failure = failures.failure(e);
            throw failure;
        } catch (RuntimeException e) {
            failure = failures.notReadable(e, !(invocation instanceof HttpGetClientInvocation));
            throw failure;
        } finally {
            observer.ended(System.nanoTime() - begin, failure);
        }
    }

    /** Completes each request: our credentials, no stale answers, and no address other than the server's. */
    static final class RequestHook {

        /** The last code of ASCII, which is no character. */
        private static final int DELETE = 127;

        private final Server server;
        private final FailureReader failures;

        private RequestHook(Server server, FailureReader failures) {
            this.server = server;
            this.failures = failures;
        }

        @Hook(Pointcut.CLIENT_REQUEST)
        public void complete(IHttpRequest request) {
            if (!isOfTheServer(request.getUri())) {
                throw failures.refused("its URL is not below the server's");
            }
            request.removeHeaders(HttpHeaders.USER_AGENT);
            request.removeHeaders(HttpHeaders.ACCEPT_ENCODING);
            request.removeHeaders(HttpHeaders.CACHE_CONTROL);
            // a server may otherwise repeat its answer to an earlier search
            request.addHeader(HttpHeaders.CACHE_CONTROL, "no-cache");
            server.authorization().ifPresent(value -> request.addHeader(HttpHeaders.AUTHORIZATION, value));
            List<String> condition = request.getAllHeaders().get(Constants.HEADER_IF_NONE_EXIST);
            if (condition != null) {
                // HAPI decodes it, and a header holds ASCII
                request.removeHeaders(Constants.HEADER_IF_NONE_EXIST);
                request.addHeader(Constants.HEADER_IF_NONE_EXIST, ascii(condition.get(0)));
            }
        }

        private static String ascii(String url) {
            StringBuilder ascii = new StringBuilder();
            for (byte next : url.getBytes(StandardCharsets.UTF_8)) {
                boolean isPlain = next > ' ' && next < DELETE;
                ascii.append(isPlain ? String.valueOf((char) next) : "%%%02X".formatted(next));
            }
            return ascii.toString();
        }

        private boolean isOfTheServer(String uri) {
            String base = server.url().toString();
            if (!uri.startsWith(base)) {
                return false;
            }
            String rest = uri.substring(base.length());
            return (rest.isEmpty() || rest.startsWith("/") || rest.startsWith("?")) && !hasDotSegment(rest);
        }

        private static boolean hasDotSegment(String rest) {
            int query = rest.indexOf('?');
            String path = query < 0 ? rest : rest.substring(0, query);
            return List.of(path.split("/")).stream().anyMatch(Set.of(".", "..")::contains);
        }
    }
}
