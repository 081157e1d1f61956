package routes.platform.http;

import org.apache.coyote.Processor;
import org.apache.coyote.http11.Http11NioProtocol;

/** Tomcat's, made by Tomcat by its name, whose threads do not wait for what nobody reads ({@link HttpProcessor}). */
public final class HttpProtocol extends Http11NioProtocol {

    public HttpProtocol() {
        // who is refused is not asked to send on
        setContinueResponseTiming("onRead");
    }

    @Override
    protected Processor createProcessor() {
        return new HttpProcessor(this, adapter);
    }
}
