package routes.platform.http;

import org.apache.coyote.Processor;
import org.apache.coyote.Request;
import org.apache.coyote.Response;
import org.apache.coyote.http11.Http11NioProtocol;

/** Tomcat's, made by Tomcat by its name, whose threads do not wait for what nobody reads ({@link HttpProcessor}). */
public final class HttpProtocol extends Http11NioProtocol {

    public HttpProtocol() {
        // who is refused is not asked to send on
        setContinueResponseTiming("onRead");
    }

    /** Tomcat asks this of every answer that has content, before it writes the head; it has no other place to add to that. */
    @Override
    public boolean useCompression(Request request, Response response) {
        UnreadBodies.announce(request, response);
        return super.useCompression(request, response);
    }

    @Override
    protected Processor createProcessor() {
        return new HttpProcessor(this, adapter);
    }
}
