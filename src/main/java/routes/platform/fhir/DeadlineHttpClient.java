package routes.platform.fhir;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.http.HttpHost;
import org.apache.http.HttpRequest;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.protocol.HttpContext;

/**
 * Ends a call that has no answer within a time limit. A socket's timeout limits the wait for the next byte: a server
 * that reads nothing, or sends a byte a minute, would hold its caller forever.
 *
 * <p>The limit covers the wait for a connection, the request, and the head of the answer. The caller reads the body,
 * and limits the time for it; {@code responseTimeout} limits each wait for its next bytes.
 */
class DeadlineHttpClient extends CloseableHttpClient {

    private final CloseableHttpClient client;
    private final Duration limit;
    private final ScheduledThreadPoolExecutor timer;

    DeadlineHttpClient(CloseableHttpClient client, Duration limit) {
        this.client = client;
        this.limit = limit;
        timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "fhir-deadlines");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
    }

    /** @throws SocketTimeoutException when the time limit has passed; the server may have done what it was asked */
    @Override
    protected CloseableHttpResponse doExecute(HttpHost target, HttpRequest request, HttpContext context)
            throws IOException {
        HttpUriRequest call = (HttpUriRequest) request;
        AtomicBoolean over = new AtomicBoolean();
        Future<?> deadline = timer.schedule(
                () -> {
                    if (over.compareAndSet(false, true)) {
                        call.abort();
                    }
                },
                limit.toMillis(),
                TimeUnit.MILLISECONDS);
        CloseableHttpResponse response = null;
        try {
            response = client.execute(target, request, context);
            receive(response);
        } catch (IOException | RuntimeException e) {
            close(response);
            if (!over.compareAndSet(false, true)) {
                throw expired();
            }
            throw e;
        } finally {
            deadline.cancel(false);
        }
        if (!over.compareAndSet(false, true)) {
            close(response);
            throw expired();
        }
        return response;
    }

    /** Reads the part of the answer's body that the time limit covers. */
    protected void receive(CloseableHttpResponse response) throws IOException {
        // nothing
    }

    private SocketTimeoutException expired() {
        return new SocketTimeoutException("no answer within " + limit.toMillis() + " ms");
    }

    /** Ends the connection unless the answer has been read to its end. */
    static void close(CloseableHttpResponse response) {
        try {
            if (response != null) {
                response.close();
            }
        } catch (IOException e) {
            // the connection is broken, and the pool drops it
        }
    }

    @Override
    public void close() throws IOException {
        timer.shutdownNow();
        client.close();
    }

    @Override
    @Deprecated
    public org.apache.http.params.HttpParams getParams() {
        return client.getParams();
    }

    @Override
    @Deprecated
    public org.apache.http.conn.ClientConnectionManager getConnectionManager() {
        return client.getConnectionManager();
    }
}
