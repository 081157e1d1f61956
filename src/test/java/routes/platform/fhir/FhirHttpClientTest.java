package routes.platform.fhir;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.apache.http.MessageConstraintException;
import org.apache.http.NoHttpResponseException;
import org.apache.http.client.ClientProtocolException;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.conn.ConnectionPoolTimeoutException;
import org.apache.http.conn.HttpHostConnectException;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.util.EntityUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class FhirHttpClientTest {

    private static final String OK = "HTTP/1.1 200 OK\r\n";

    private RawServer server;
    private CloseableHttpClient client;

    @BeforeEach
    void start() throws Exception {
        server = new RawServer();
        client = new FhirHttpConfiguration().fhirHttpClient(TestFhirSettings.of(server.url("/fhir")));
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        server.close();
    }

    private HttpGet get(String path) {
        return new HttpGet(server.url(path));
    }

    private String text(HttpUriRequest request) throws Exception {
        try (CloseableHttpResponse response = client.execute(request)) {
            return EntityUtils.toString(response.getEntity(), ISO_8859_1);
        }
    }

    @Test
    void sendsTheUrlAsItIsWrittenAndFewHeaders() throws Exception {
        server.answer(OK + "Content-Length: 2\r\n\r\n{}");

        assertThat(text(get("/fhir//Patient/../a?name=a%7cb&_format=j%2Fson"))).isEqualTo("{}");

        assertThat(server.heads())
                .singleElement()
                .asString()
                .startsWith("GET /fhir//Patient/../a?name=a%7cb&_format=j%2Fson HTTP/1.1\r\n")
                .contains("User-Agent: event-broker\r\n")
                .doesNotContainIgnoringCase("Accept-Encoding");
    }

    @Test
    void neitherFollowsARedirectNorKeepsACookie() throws Exception {
        server.answer("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /fhir/other\r\nSet-Cookie: session=1\r\n"
                + "Content-Length: 0\r\n\r\n");

        for (int i = 0; i < 2; i++) {
            try (CloseableHttpResponse response = client.execute(get("/fhir/Patient/1"))) {
                assertThat(response.getStatusLine().getStatusCode()).isEqualTo(302);
            }
        }

        assertThat(server.heads()).hasSize(2).allMatch(head -> !head.contains("Cookie"));
    }

    @Test
    void returnsACompressedAnswerAsItIs() throws Exception {
        server.answer(OK + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");

        assertThat(text(get("/fhir/Patient/1"))).isEqualTo("abc");
    }

    @Test
    void repeatsNoRequestWhoseConnectionBreaks() {
        server.answer("");

        assertThatThrownBy(() -> client.execute(get("/fhir/Patient/1"))).isInstanceOf(NoHttpResponseException.class);

        assertThat(server.heads()).hasSize(1);
    }

    @Test
    void reusesAConnectionAfterALineBreakTooMany() throws Exception {
        server.answer((in, out) -> {
            out.write((OK + "Content-Length: 2\r\n\r\n{}\r\n").getBytes(ISO_8859_1));
            RawServer.head(in);
            out.write((OK + "Content-Length: 2\r\n\r\n[]").getBytes(ISO_8859_1));
        });

        assertThat(text(get("/fhir/Patient/1"))).isEqualTo("{}");
        assertThat(text(get("/fhir/Patient/2"))).isEqualTo("[]");

        assertThat(server.heads()).hasSize(1);
    }

    @Test
    void refusesAnAnswerThatIsNoHttp() {
        server.answer((in, out) -> {
            while (true) {
                out.write("<html>canary</html>\n".getBytes(ISO_8859_1));
            }
        });

        assertThatThrownBy(() -> client.execute(get("/fhir/Patient/1"))).isInstanceOf(ClientProtocolException.class);
    }

    @Test
    void refusesAHeadThatBreaksOff() {
        server.answer(OK + "Content-Type: application/fhir+json");

        assertThatThrownBy(() -> text(get("/fhir/Patient"))).isInstanceOf(NoHttpResponseException.class);
    }

    @Test
    void refusesAHeadWithoutAnEnd() {
        server.answer((in, out) -> {
            out.write(OK.getBytes(ISO_8859_1));
            while (true) {
                out.write("X: y\r\n".getBytes(ISO_8859_1));
            }
        });

        assertThatThrownBy(() -> client.execute(get("/fhir/Patient/1"))).isInstanceOf(MessageConstraintException.class);
    }

    @Test
    void endsACallWhoseAnswerArrivesByteByByte() {
        server.answer((in, out) -> {
            for (char next : (OK + "X-Long: " + "x".repeat(1000)).toCharArray()) {
                out.write(next);
                Thread.sleep(20);
            }
        });

        assertThatThrownBy(() -> client.execute(get("/fhir/Patient/1")))
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessage("no answer within 1000 ms");
    }

    @Test
    void endsACallWhoseRequestNobodyReads() {
        server.answer((in, out) -> Thread.sleep(60_000));
        HttpPost post = new HttpPost(server.url("/fhir"));
        post.setEntity(new ByteArrayEntity(new byte[64 << 20]));

        assertThatThrownBy(() -> client.execute(post)).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void limitsEachWaitForTheNextBytesOfABody() throws Exception {
        server.answer((in, out) -> {
            out.write((OK + "Content-Length: 2\r\n\r\n{").getBytes(ISO_8859_1));
            Thread.sleep(60_000);
        });

        assertThatThrownBy(() -> text(get("/fhir/Patient/1"))).isInstanceOf(SocketTimeoutException.class);
    }

    @Test
    void limitsTheConnectionsAndTheWaitForOne() throws Exception {
        server.answer((in, out) -> {
            out.write((OK + "Content-Length: 2\r\n\r\n").getBytes(ISO_8859_1));
            Thread.sleep(60_000);
        });
        List<CloseableHttpResponse> open = new ArrayList<>();
        for (int i = 0; i < TestFhirSettings.REQUESTS; i++) {
            open.add(client.execute(get("/fhir/Patient/1")));
        }

        assertThatThrownBy(() -> client.execute(get("/fhir/Patient/2")))
                .isInstanceOf(ConnectionPoolTimeoutException.class);

        assertThat(server.heads()).hasSize(open.size());
    }

    @Test
    void tellsARefusedConnectionFromASlowServer() throws Exception {
        URI free;
        try (ServerSocket closed = new ServerSocket(0)) {
            free = URI.create("http://localhost:" + closed.getLocalPort() + "/fhir");
        }

        assertThatThrownBy(() -> client.execute(new HttpGet(free))).isInstanceOf(HttpHostConnectException.class);
    }
}
