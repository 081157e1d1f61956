package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.core.StandardHost;
import org.apache.catalina.valves.ErrorReportValve;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.net.ApplicationBufferHandler;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.stereotype.Component;

/** Renders errors that never reach a servlet, such as a malformed request line, as problems. */
@Component
class TomcatErrorCustomizer implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

    private final ProblemResponses problems;

    TomcatErrorCustomizer(ProblemResponses problems) {
        this.problems = problems;
    }

    @Override
    public void customize(TomcatServletWebServerFactory factory) {
        factory.addContextCustomizers(context -> {
            StandardHost host = (StandardHost) context.getParent();
            // Tomcat would create one by its class name, without our objects
            host.setErrorReportValveClass("");
            host.getPipeline().addValve(new ProblemReportValve(problems));
        });
    }

    private static final class ProblemReportValve extends ErrorReportValve {

        private static final Pattern TARGET = Pattern.compile("\\s*\\S+ (?<path>/[^?\\s]*)(?:\\?(?<query>\\S*))?");

        private final ProblemResponses problems;

        ProblemReportValve(ProblemResponses problems) {
            this.problems = problems;
        }

        @Override
        protected void report(Request request, Response response, Throwable throwable) {
            int status = response.getStatus();
            if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
                return;
            }
            String correlationId = response.getHeader(CorrelationId.HEADER);
            if (correlationId == null) {
                correlationId = CorrelationId.create();
                response.setHeader(CorrelationId.HEADER, correlationId);
            }
            response.setHeader("Cache-Control", "no-store");
            response.setHeader("X-Content-Type-Options", "nosniff");
            ErrorFormat.Rendered rendered = problems.render(
                    request.getRequestURI() == null ? unreadTarget(request) : request,
                    problem(status, correlationId, request));
            response.setContentType(rendered.mediaType());
            response.setCharacterEncoding("UTF-8");
            try {
                Writer writer = response.getReporter();
                if (writer != null) {
                    writer.write(new String(rendered.body(), StandardCharsets.UTF_8));
                    response.finishResponse();
                }
            } catch (IOException | IllegalStateException e) {
                getContainer().getLogger().debug("the caller has gone", e);
            }
        }

        /** The request with the target that Tomcat has refused to read; null without one. */
        private static HttpServletRequest unreadTarget(Request request) {
            if (!(request.getCoyoteRequest().getInputBuffer() instanceof ApplicationBufferHandler head)) {
                return null;
            }
            ByteBuffer bytes = head.getByteBuffer().duplicate().rewind();
            Matcher line = TARGET.matcher(StandardCharsets.ISO_8859_1.decode(bytes));
            if (!line.lookingAt()) {
                return null;
            }
            return new HttpServletRequestWrapper(request) {
                @Override
                public String getRequestURI() {
                    return line.group("path");
                }

                @Override
                public String getQueryString() {
                    return line.group("query");
                }
            };
        }

        private static Problem problem(int status, String correlationId, Request request) {
            return status == HttpServletResponse.SC_BAD_REQUEST
                            && request.getConnector().getProtocolHandler() instanceof AbstractHttp11Protocol<?> http
                    ? Problem.of(
                            status,
                            "bad request: its head is malformed, or longer than " + http.getMaxHttpRequestHeaderSize()
                                    + " bytes",
                            correlationId)
                    : Problem.of(status, correlationId);
        }
    }
}
