package routes.platform.fhir;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import org.apache.http.Header;
import org.apache.http.HttpEntity;
import org.apache.http.HttpHeaders;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.protocol.HttpContext;

/**
 * Reads whole answers within the time limit of a call, up to a size. HAPI's client would read them without limits, and
 * repeat the body of an error in its exception: so an answer that reports an error ends here.
 */
final class OwnCallsHttpClient extends DeadlineHttpClient {

    private static final int SUCCESS = 200;
    private static final int REDIRECT = 300;
    private static final int MAX_ERROR_BYTES = 64 * 1024;

    private final int maxBytes;

    OwnCallsHttpClient(CloseableHttpClient client, Duration limit, int maxBytes) {
        super(client, limit);
        this.maxBytes = maxBytes;
    }

    /** @throws FailedCall when there is no whole answer, or it does not report a success */
    @Override
    protected CloseableHttpResponse doExecute(HttpHost target, HttpRequest request, HttpContext context) {
        HttpUriRequest call = (HttpUriRequest) request;
        CloseableHttpResponse response;
        try {
            response = super.doExecute(target, request, context);
        } catch (IOException e) {
            throw FailedCall.broken(call.getMethod(), call.getURI(), e);
        }
        if (isSuccess(response)) {
            return response;
        }
        close(response);
        int status = response.getStatusLine().getStatusCode();
        throw FailedCall.answered(call.getMethod(), call.getURI(), status, isFhir(response));
    }

    private static boolean isSuccess(CloseableHttpResponse response) {
        int status = response.getStatusLine().getStatusCode();
        return status >= SUCCESS && status < REDIRECT;
    }

    private static boolean isFhir(CloseableHttpResponse response) {
        Header type = response.getFirstHeader(HttpHeaders.CONTENT_TYPE);
        return type != null && FhirContentType.isFhir(type.getValue());
    }

    @Override
    protected void receive(CloseableHttpResponse response) throws IOException {
        HttpEntity entity = response.getEntity();
        if (entity == null) {
            return;
        }
        InputStream content = entity.getContent();
        if (!isSuccess(response)) {
            // the connection of a short error can be used again
            content.readNBytes(MAX_ERROR_BYTES);
            return;
        }
        if (entity.getContentLength() > maxBytes) {
            throw new AnswerTooLargeException();
        }
        byte[] body = content.readNBytes(maxBytes);
        if (content.read() >= 0) {
            throw new AnswerTooLargeException();
        }
        ByteArrayEntity whole = new ByteArrayEntity(body);
        whole.setContentType(entity.getContentType());
        response.setEntity(whole);
    }
}
