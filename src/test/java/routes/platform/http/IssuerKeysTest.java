package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IssuerKeysTest {

    private final AtomicInteger fetches = new AtomicInteger();
    private final AtomicReference<JWKSet> published = new AtomicReference<>();
    private final AtomicBoolean silent = new AtomicBoolean();
    private HttpServer issuer;

    @BeforeEach
    void start() throws Exception {
        issuer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        issuer.createContext("/keys", exchange -> {
            fetches.incrementAndGet();
            if (silent.get()) {
                return;
            }
            byte[] keys = published.get().toString().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, keys.length);
            exchange.getResponseBody().write(keys);
            exchange.close();
        });
        issuer.start();
        published.set(new JWKSet(key("first")));
    }

    @AfterEach
    void stop() {
        issuer.stop(0);
    }

    @Test
    void fetchesTheKeysOnceForManyRequests() throws Exception {
        IssuerKeys keys = new IssuerKeys(url());

        for (int i = 0; i < 100; i++) {
            assertThat(keys.get(named("first"), null)).hasSize(1);
        }

        assertThat(fetches).hasValue(1);
    }

    @Test
    void findsANewKey() throws Exception {
        IssuerKeys keys = new IssuerKeys(url());
        assertThat(keys.get(named("first"), null)).hasSize(1);

        published.set(new JWKSet(key("second")));

        assertThat(keys.get(named("second"), null)).hasSize(1);
        assertThat(keys.get(named("first"), null))
                .as("a key that the issuer has withdrawn")
                .isEmpty();
    }

    @Test
    void limitsTheFetchesForMadeUpKeyIds() throws Exception {
        IssuerKeys keys = new IssuerKeys(url());

        for (int i = 0; i < 100; i++) {
            assertThat(keys.get(named("made up " + i), null)).isEmpty();
            assertThat(keys.get(named("first"), null)).hasSize(1);
        }

        assertThat(fetches).hasValueLessThanOrEqualTo(2);
    }

    @Test
    void keepsTheKeysWhileTheIssuerIsAway() throws Exception {
        IssuerKeys keys = new IssuerKeys(url());
        assertThat(keys.get(named("first"), null)).hasSize(1);

        issuer.stop(0);

        assertThat(keys.get(named("first"), null)).hasSize(1);
        assertThat(keys.get(named("second"), null))
                .as("an unknown key during the outage")
                .isEmpty();
    }

    @Test
    void failsWhenTheIssuerIsAwayForTooLong() throws Exception {
        IssuerKeys keys = new IssuerKeys(url(), Duration.ofMillis(300), Duration.ofMillis(100), Duration.ofMillis(200));
        assertThat(keys.get(named("first"), null)).hasSize(1);

        issuer.stop(0);

        await().untilAsserted(() ->
                assertThatThrownBy(() -> keys.get(named("first"), null)).isInstanceOf(KeySourceException.class));
        for (int i = 0; i < 10; i++) {
            assertThatThrownBy(() -> keys.get(named("first"), null)).isInstanceOf(KeySourceException.class);
        }
    }

    @Test
    void limitsTheWaitForASilentIssuer() throws Exception {
        IssuerKeys keys = new IssuerKeys(url());
        assertThat(keys.get(named("first"), null)).hasSize(1);
        silent.set(true);
        ExecutorService strangers = Executors.newFixedThreadPool(20);
        try {
            List<Future<?>> waiting = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                String made = "made up " + i;
                waiting.add(strangers.submit(() -> keys.get(named(made), null)));
            }

            await().atMost(Duration.ofSeconds(1))
                    .until(() -> waiting.stream().filter(Future::isDone).count() >= 18);
            assertThat(keys.get(named("first"), null)).hasSize(1);
        } finally {
            strangers.shutdownNow();
        }
    }

    @Test
    void letsOnlyAFewRequestsWaitForASilentIssuer() throws Exception {
        IssuerKeys keys = new IssuerKeys(url());
        assertThat(keys.get(named("first"), null)).hasSize(1);
        silent.set(true);
        ExecutorService strangers = Executors.newFixedThreadPool(20);
        try {
            List<Future<?>> asked = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                String made = "made up " + i;
                asked.add(strangers.submit(() -> keys.get(named(made), null)));
            }

            await().untilAsserted(() -> assertThat(asked)
                    .filteredOn(Future::isDone)
                    .filteredOn(one -> failure(one).contains("too many requests wait for the keys"))
                    .hasSizeBetween(1, 12));
            assertThat(keys.get(named("first"), null)).hasSize(1);
        } finally {
            strangers.shutdownNow();
        }
    }

    @Test
    void findsAKnownKeyWhileStrangersWaitForASilentIssuer() throws Exception {
        IssuerKeys keys = new IssuerKeys(url(), Duration.ofMillis(300), Duration.ofHours(4), Duration.ofMillis(100));
        assertThat(keys.get(named("first"), null)).hasSize(1);
        silent.set(true);
        ExecutorService strangers = Executors.newFixedThreadPool(12);
        try {
            for (int i = 0; i < 12; i++) {
                strangers.submit(() -> {
                    for (int made = 0; !Thread.currentThread().isInterrupted(); made++) {
                        failure(keys, "made up " + made);
                    }
                });
            }
            for (int i = 0; i < 50; i++) {
                assertThat(keys.get(named("first"), null)).hasSize(1);
            }
        } finally {
            strangers.shutdownNow();
        }
    }

    private static String failure(IssuerKeys keys, String made) {
        try {
            keys.get(named(made), null);
            return "";
        } catch (KeySourceException e) {
            return e.getMessage();
        }
    }

    private static String failure(Future<?> asked) {
        try {
            asked.get();
            return "";
        } catch (Exception e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void failsWhenItNeverHadTheKeys() throws IOException {
        URL url = url();
        issuer.stop(0);
        IssuerKeys keys = new IssuerKeys(url);

        for (int i = 0; i < 10; i++) {
            assertThatThrownBy(() -> keys.get(named("first"), null)).isInstanceOf(KeySourceException.class);
        }
    }

    private URL url() throws IOException {
        return URI.create("http://127.0.0.1:" + issuer.getAddress().getPort() + "/keys")
                .toURL();
    }

    private static JWKSelector named(String id) {
        return new JWKSelector(new JWKMatcher.Builder().keyID(id).build());
    }

    private static RSAKey key(String id) throws Exception {
        return new RSAKeyGenerator(2048).keyID(id).generate().toPublicJWK();
    }
}
