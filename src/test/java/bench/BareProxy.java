package bench;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.List;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.RequestBuilder;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.util.EntityUtils;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.http.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.autoconfigure.jackson.JacksonAutoConfiguration;
import org.springframework.boot.autoconfigure.security.oauth2.resource.servlet.OAuth2ResourceServerAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityFilterAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.DispatcherServletAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.WebMvcAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Passes FHIR requests by hand: a Spring MVC controller with the runtime's Tomcat, token check and HTTP client. It
 * looks at no scope of a type, reads no body, rewrites no address and stores nothing. So its cost is that of a second
 * hop.
 */
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({
    ServletWebServerFactoryAutoConfiguration.class,
    DispatcherServletAutoConfiguration.class,
    WebMvcAutoConfiguration.class,
    HttpMessageConvertersAutoConfiguration.class,
    JacksonAutoConfiguration.class,
    SecurityAutoConfiguration.class,
    SecurityFilterAutoConfiguration.class,
    OAuth2ResourceServerAutoConfiguration.class
})
class BareProxy implements Side {

    private static final int CONNECTIONS = 24;

    /** @param args options of the runtime */
    public static void main(String[] args) throws IOException {
        SpringApplication.run(BareProxy.class, args);
        Side.serve(new BareProxy());
    }

    /** It has no background work. */
    @Override
    public void start(String source, String sink, String group) {}

    @Override
    public void stop() {}

    @Bean
    SecurityFilterChain fhir(HttpSecurity http) throws Exception {
        return BareController.stateless(http, "SCOPE_system/*.cruds");
    }

    @Bean(destroyMethod = "close")
    CloseableHttpClient server() {
        return FhirLoad.http(CONNECTIONS);
    }

    @RestController
    static class Controller {

        private static final List<String> REQUEST_HEADERS = List.of(HttpHeaders.ACCEPT, HttpHeaders.CONTENT_TYPE);

        private static final List<String> RESPONSE_HEADERS = List.of(
                HttpHeaders.CONTENT_TYPE,
                HttpHeaders.CONTENT_LOCATION,
                HttpHeaders.ETAG,
                HttpHeaders.LAST_MODIFIED,
                HttpHeaders.LOCATION);

        private final CloseableHttpClient server;
        private final String address;

        Controller(CloseableHttpClient server, @Value("${event-broker.fhir.servers.default.url}") String address) {
            this.server = server;
            this.address = address;
        }

        @RequestMapping("/fhir/**")
        ResponseEntity<byte[]> pass(HttpServletRequest request, @RequestBody(required = false) byte[] body)
                throws IOException {
            String query = request.getQueryString() == null ? "" : "?" + request.getQueryString();
            String path = request.getRequestURI().substring("/fhir".length());
            RequestBuilder outgoing = RequestBuilder.create(request.getMethod()).setUri(address + path + query);
            REQUEST_HEADERS.stream()
                    .filter(name -> request.getHeader(name) != null)
                    .forEach(name -> outgoing.setHeader(name, request.getHeader(name)));
            if (body != null) {
                outgoing.setEntity(new ByteArrayEntity(body));
            }
            try (CloseableHttpResponse answer = server.execute(outgoing.build())) {
                ResponseEntity.BodyBuilder passed =
                        ResponseEntity.status(answer.getStatusLine().getStatusCode());
                RESPONSE_HEADERS.stream()
                        .filter(answer::containsHeader)
                        .forEach(name ->
                                passed.header(name, answer.getFirstHeader(name).getValue()));
                return passed.body(EntityUtils.toByteArray(answer.getEntity()));
            }
        }
    }
}
