package routes.platform.http;

import org.apache.coyote.Processor;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.http11.Http11NioProtocol;

/**
 * Replaces Tomcat's HTTP protocol, so that no thread waits for a body that nobody reads
 * ({@link LingeringHttpProcessor}). Tomcat creates it by its class name.
 */
public final class LingeringHttpProtocol extends Http11NioProtocol {

    public LingeringHttpProtocol() {
        // a rejected client gets no 100 Continue
        setContinueResponseTiming("onRead");
    }

    /** Adds to the head of the response: the only hook that Tomcat calls before it writes every head with content. */
    @Override
    public boolean useCompression(Request request, Response response) {
        UnreadBodyAdapter.announce(request, response);
        return super.useCompression(request, response);
    }

    @Override
    protected Processor createProcessor() {
        return new LingeringHttpProcessor(this, adapter);
    }
}
