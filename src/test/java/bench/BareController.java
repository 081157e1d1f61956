package bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.http.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.autoconfigure.jackson.JacksonAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcClientAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.security.oauth2.resource.servlet.OAuth2ResourceServerAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityFilterAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.DispatcherServletAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.WebMvcAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/**
 * Writes commands by hand: a Spring MVC controller with the runtime's Tomcat, pool and token check, configured by the
 * same {@code application.yaml}. It inserts the command, sends it, waits for the acknowledgement and answers. No
 * consumer checks or applies it.
 */
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({
    ServletWebServerFactoryAutoConfiguration.class,
    DispatcherServletAutoConfiguration.class,
    WebMvcAutoConfiguration.class,
    HttpMessageConvertersAutoConfiguration.class,
    JacksonAutoConfiguration.class,
    DataSourceAutoConfiguration.class,
    JdbcTemplateAutoConfiguration.class,
    JdbcClientAutoConfiguration.class,
    SecurityAutoConfiguration.class,
    SecurityFilterAutoConfiguration.class,
    OAuth2ResourceServerAutoConfiguration.class
})
class BareController implements Side {

    static final String TOPIC = "bench.commands";
    static final String TABLE = "bench_command";

    /** @param args options of the runtime */
    public static void main(String[] args) throws IOException {
        SpringApplication.run(BareController.class, args);
        Side.serve(new BareController());
    }

    /** It has no background work. */
    @Override
    public void start(String source, String sink, String group) {}

    @Override
    public void stop() {}

    @Bean
    SecurityFilterChain api(HttpSecurity http) throws Exception {
        return stateless(http, "SCOPE_prescriptions.write");
    }

    /** Checks the token of each request, and keeps no session. */
    static SecurityFilterChain stateless(HttpSecurity http, String authority) throws Exception {
        return http.csrf(AbstractHttpConfigurer::disable)
                .sessionManagement(session -> session.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
                .requestCache(AbstractHttpConfigurer::disable)
                .logout(AbstractHttpConfigurer::disable)
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority(authority))
                .build();
    }

    /** Takes the settings {@code camel.component.kafka} of {@code application.yaml}. */
    @Bean
    KafkaProducer<byte[], byte[]> producer(
            @Value("${camel.component.kafka.brokers}") String brokers,
            @Value("${camel.component.kafka.request-required-acks}") String acks,
            @Value("${camel.component.kafka.enable-idempotence}") String idempotence,
            @Value("${camel.component.kafka.linger-ms}") String linger,
            @Value("${camel.component.kafka.producer-batch-size}") String batch,
            @Value("${camel.component.kafka.compression-codec}") String compression) {
        return new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers", brokers,
                        "acks", acks,
                        "enable.idempotence", idempotence,
                        "linger.ms", linger,
                        "batch.size", batch,
                        "compression.type", compression),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    private record Receipt(String message, String prescriptionId, String commandId) {}

    @RestController
    static class Controller {

        private final JdbcClient jdbc;
        private final KafkaProducer<byte[], byte[]> producer;
        private final ObjectMapper mapper;

        Controller(JdbcClient jdbc, KafkaProducer<byte[], byte[]> producer, ObjectMapper mapper) {
            this.jdbc = jdbc;
            this.producer = producer;
            this.mapper = mapper;
        }

        @PostMapping("/api/prescriptions")
        @ResponseStatus(HttpStatus.ACCEPTED)
        Receipt create(@AuthenticationPrincipal Jwt token, @RequestBody ObjectNode prescription)
                throws JsonProcessingException, InterruptedException, ExecutionException {
            String id = UUID.randomUUID().toString();
            String command = UUID.randomUUID().toString();
            ObjectNode value = mapper.createObjectNode()
                    .put("commandId", command)
                    .put("commandType", "CreatePrescription")
                    .put("aggregateId", id)
                    .put("timestamp", System.currentTimeMillis());
            value.set("payload", prescription);
            value.put("userId", token.getSubject());
            jdbc.sql(
                            """
                            insert into bench_command (tenant, command_id, command_type, prescription_id, status)
                            values (?, ?, ?, ?, 'ACCEPTED') on conflict do nothing""")
                    .params(token.getClaimAsString("tenant"), command, "CreatePrescription", id)
                    .update();
            producer.send(new ProducerRecord<>(
                            TOPIC, id.getBytes(StandardCharsets.UTF_8), mapper.writeValueAsBytes(value)))
                    .get();
            return new Receipt("Prescription command accepted", id, command);
        }
    }
}
