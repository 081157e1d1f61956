package routes.platform.fhir;

import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.http.HttpResponse;
import org.apache.http.client.config.CookieSpecs;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.config.ConnectionConfig;
import org.apache.http.config.MessageConstraints;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.DefaultConnectionKeepAliveStrategy;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.DefaultHttpResponseParser;
import org.apache.http.impl.conn.ManagedHttpClientConnectionFactory;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.impl.io.DefaultHttpRequestWriterFactory;
import org.apache.http.io.SessionInputBuffer;
import org.apache.http.message.BasicLineParser;
import org.apache.http.protocol.HttpContext;
import org.apache.http.util.CharArrayBuffer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Builds the HTTP clients for FHIR servers. They send and return bytes as they are: without retries, redirects, cookies
 * and decompression, and without other spellings of a URL.
 */
@Configuration(proxyBeanMethods = false)
class FhirHttpConfiguration {

    private static final String USER_AGENT = "event-broker";

    /** Shorter than the time after which servers close a quiet connection: a write on a closed one is not repeated. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);

    /** After this pause the client looks whether the server has closed a connection, which takes a millisecond. */
    private static final Duration VALIDATE_AFTER = Duration.ofMillis(500);

    /** So long the client stays with an address of a server after its name leads to another one. */
    private static final Duration CONNECTION_LIFE = Duration.ofMinutes(5);

    private static final int MAX_HEADERS = 200;
    private static final int MAX_HEADER_LINE = 16 * 1024;

    /** The client of the FHIR facade. */
    @Bean(destroyMethod = "close")
    CloseableHttpClient fhirHttpClient(FhirSettings settings) throws NoSuchAlgorithmException {
        return new DeadlineHttpClient(client(settings, settings.maxRequests()), settings.responseTimeout());
    }

    /** @param connections to one server at a time */
    static CloseableHttpClient client(FhirSettings settings, int connections) throws NoSuchAlgorithmException {
        settings.check();
        PoolingHttpClientConnectionManager pool = new PoolingHttpClientConnectionManager(
                RegistryBuilder.<ConnectionSocketFactory>create()
                        .register("http", PlainConnectionSocketFactory.getSocketFactory())
                        .register("https", new SSLConnectionSocketFactory(SSLContext.getDefault()))
                        .build(),
                new ManagedHttpClientConnectionFactory(
                        DefaultHttpRequestWriterFactory.INSTANCE,
                        (buffer, constraints) -> new StrictResponseParser(buffer, constraints)),
                null,
                null,
                CONNECTION_LIFE.toMillis(),
                TimeUnit.MILLISECONDS);
        pool.setDefaultMaxPerRoute(connections);
        pool.setMaxTotal(connections * Math.max(1, settings.servers().size()));
        pool.setValidateAfterInactivity((int) VALIDATE_AFTER.toMillis());
        pool.setDefaultSocketConfig(
                SocketConfig.custom().setTcpNoDelay(true).setSoKeepAlive(true).build());
        pool.setDefaultConnectionConfig(ConnectionConfig.custom()
                .setMessageConstraints(MessageConstraints.custom()
                        .setMaxHeaderCount(MAX_HEADERS)
                        .setMaxLineLength(MAX_HEADER_LINE)
                        .build())
                .build());
        return builder(settings).setConnectionManager(pool).build();
    }

    private static HttpClientBuilder builder(FhirSettings settings) {
        int connectMs = (int) settings.connectTimeout().toMillis();
        return HttpClients.custom()
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setConnectionRequestTimeout(connectMs)
                        .setConnectTimeout(connectMs)
                        .setSocketTimeout((int) settings.responseTimeout().toMillis())
                        .setRedirectsEnabled(false)
                        .setAuthenticationEnabled(false)
                        .setContentCompressionEnabled(false)
                        .setNormalizeUri(false)
                        .setCookieSpec(CookieSpecs.IGNORE_COOKIES)
                        .build())
                .setKeepAliveStrategy(FhirHttpConfiguration::keepAlive)
                .evictExpiredConnections()
                .evictIdleConnections(KEEP_ALIVE.toMillis(), TimeUnit.MILLISECONDS)
                .setUserAgent(USER_AGENT)
                .disableAutomaticRetries()
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableAuthCaching()
                .disableContentCompression();
    }

    private static long keepAlive(HttpResponse response, HttpContext context) {
        long byServer = DefaultConnectionKeepAliveStrategy.INSTANCE.getKeepAliveDuration(response, context);
        return byServer < 0 ? KEEP_ALIVE.toMillis() : Math.min(byServer, KEEP_ALIVE.toMillis());
    }

    /** Refuses an answer that is no HTTP. HttpClient's own parser skips such lines without a limit. */
    private static final class StrictResponseParser extends DefaultHttpResponseParser {

        private StrictResponseParser(SessionInputBuffer buffer, MessageConstraints constraints) {
            super(new WholeHead(buffer), BasicLineParser.INSTANCE, null, constraints);
        }

        @Override
        protected boolean reject(CharArrayBuffer line, int count) {
            // some servers end an answer with a line break too many
            return !line.isEmpty() || count > 0;
        }
    }
}
