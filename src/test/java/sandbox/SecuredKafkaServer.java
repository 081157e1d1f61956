package sandbox;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs the broker as in production: TLS, and a password (SCRAM) or a token (OAUTHBEARER) per user. Another port takes
 * certificates (mutual TLS). ACLs allow everything explicitly; only {@code admin} and the broker itself need none.
 */
final class SecuredKafkaServer extends KafkaServer {

    static final String ADMIN = "admin";

    private static final List<String> USERS = List.of(ADMIN, Acls.RUNTIME, "medication-service", "stranger");
    private static final String STORE_PASSWORD = "store-secret";
    private static final String PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule";
    private static final String SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule";

    private static final String BEARER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";
    private static final String BEARER_HANDLERS = "org.apache.kafka.common.security.oauthbearer.OAuthBearer";
    private static final Duration TOKEN_LIFETIME = Duration.ofHours(1);

    private final int certificatePort = Ports.freeForInternalUse().nextInt();
    private volatile Path data;

    SecuredKafkaServer(MavenArtifacts artifacts) {
        super(artifacts);
    }

    @Override
    public void format(Site site) throws IOException, InterruptedException {
        data = site.data();
        certify("broker", "localhost", "-ext", "san=dns:localhost,ip:" + Ports.LOOPBACK);
        certify(Acls.RUNTIME, Acls.RUNTIME);
        writeToken();
        super.format(site);
    }

    @Override
    public Launch launch(Site site) throws IOException {
        data = site.data();
        return super.launch(site);
    }

    @Override
    List<String> formatArguments() {
        List<String> arguments = new ArrayList<>();
        for (String user : USERS) {
            arguments.add("--add-scram");
            arguments.add("SCRAM-SHA-512=[name=%s,password=%s]".formatted(user, password(user)));
        }
        return arguments;
    }

    @Override
    List<String> jvmOptions() {
        return List.of("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + keys().toUri());
    }

    @Override
    Map<String, String> furtherConfiguration(String listeners, String advertised) {
        Map<String, String> configuration = new HashMap<>();
        String certified = ",CERTIFIED://" + address(certificatePort);
        configuration.put("listeners", listeners + certified);
        configuration.put("advertised.listeners", advertised + certified);
        configuration.put("listener.security.protocol.map", "BROKER:SASL_SSL,CERTIFIED:SSL,CONTROLLER:SASL_PLAINTEXT");
        configuration.put("sasl.mechanism.inter.broker.protocol", "SCRAM-SHA-512");
        configuration.put("listener.name.broker.sasl.enabled.mechanisms", "SCRAM-SHA-512,OAUTHBEARER");
        configuration.put("listener.name.broker.scram-sha-512.sasl.jaas.config", login(SCRAM, ADMIN));
        configuration.put("listener.name.broker.oauthbearer.sasl.jaas.config", BEARER + " required;");
        configuration.put(
                "listener.name.broker.oauthbearer.sasl.server.callback.handler.class",
                BEARER_HANDLERS + "ValidatorCallbackHandler");
        configuration.put(
                "listener.name.broker.sasl.oauthbearer.jwks.endpoint.url",
                keys().toUri().toString());
        configuration.put("listener.name.broker.sasl.oauthbearer.expected.audience", "kafka");
        configuration.put("listener.name.certified.ssl.client.auth", "required");
        configuration.put("ssl.principal.mapping.rules", "RULE:^CN=(.*)$/$1/");
        configuration.put("sasl.mechanism.controller.protocol", "PLAIN");
        configuration.put("listener.name.controller.sasl.enabled.mechanisms", "PLAIN");
        configuration.put(
                "listener.name.controller.plain.sasl.jaas.config",
                login(PLAIN, "broker").replace(";", " user_broker=\"" + password("broker") + "\";"));
        configuration.put("ssl.keystore.type", "PKCS12");
        configuration.put("ssl.keystore.location", keyStore("broker").toString());
        configuration.put("ssl.keystore.password", STORE_PASSWORD);
        configuration.put("ssl.truststore.type", "PKCS12");
        configuration.put("ssl.truststore.location", trustStore().toString());
        configuration.put("ssl.truststore.password", STORE_PASSWORD);
        configuration.put("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
        configuration.put("super.users", "User:" + ADMIN + ";User:broker");
        configuration.put("allow.everyone.if.no.acl.found", "false");
        return configuration;
    }

    @Override
    Map<String, Object> adminConfiguration(int port) {
        return client(port, ADMIN);
    }

    /** Returns the configuration of a client with the password of that user. */
    Map<String, Object> client(int port, String user) {
        Map<String, Object> configuration = trusting(address(port), "SASL_SSL");
        configuration.put("sasl.mechanism", "SCRAM-SHA-512");
        configuration.put("sasl.jaas.config", login(SCRAM, user));
        return configuration;
    }

    /** Returns the configuration with a token, in a file that the platform renews. */
    Map<String, Object> clientWithToken(int port) {
        Map<String, Object> configuration = trusting(address(port), "SASL_SSL");
        configuration.put("sasl.mechanism", "OAUTHBEARER");
        configuration.put("sasl.jaas.config", BEARER + " required;");
        configuration.put(
                "additional-properties[sasl.login.callback.handler.class]", BEARER_HANDLERS + "LoginCallbackHandler");
        configuration.put(
                "additional-properties[sasl.oauthbearer.token.endpoint.url]",
                token().toUri().toString());
        return configuration;
    }

    /** Returns the configuration with a certificate. */
    Map<String, Object> clientWithCertificate() {
        Map<String, Object> configuration = trusting(address(certificatePort), "SSL");
        configuration.put("ssl.keystore.type", "PKCS12");
        configuration.put("ssl.keystore.location", keyStore(Acls.RUNTIME).toString());
        configuration.put("ssl.keystore.password", STORE_PASSWORD);
        configuration.put("ssl.key.password", STORE_PASSWORD);
        return configuration;
    }

    private Map<String, Object> trusting(String brokers, String protocol) {
        return new HashMap<>(Map.of(
                "bootstrap.servers",
                brokers,
                "security.protocol",
                protocol,
                "ssl.truststore.type",
                "PKCS12",
                "ssl.truststore.location",
                trustStore().toString(),
                "ssl.truststore.password",
                STORE_PASSWORD));
    }

    @Override
    public Map<String, String> properties(int port) {
        return runtimeProperties(client(port, Acls.RUNTIME));
    }

    /** Converts the configuration of a client into properties of the runtime. */
    static Map<String, String> runtimeProperties(Map<String, Object> client) {
        Map<String, String> properties = new HashMap<>();
        client.forEach((name, value) -> properties.put(
                "camel.component.kafka."
                        + (name.equals("bootstrap.servers")
                                ? "brokers"
                                : name.contains("[") ? name : name.replace('.', '-')),
                value.toString()));
        return properties;
    }

    /** Generates a key and a self-signed certificate that all parties trust. */
    private void certify(String alias, String name, String... further) throws IOException, InterruptedException {
        Path certificate = data.resolve(alias + ".crt");
        List<String> key = new ArrayList<>(List.of("-genkeypair", "-keyalg", "RSA", "-keysize", "2048"));
        key.addAll(List.of("-validity", "30", "-dname", "CN=" + name));
        key.addAll(List.of(further));
        keytool(keyStore(alias), alias, key);
        keytool(keyStore(alias), alias, List.of("-exportcert", "-file", certificate.toString()));
        keytool(trustStore(), alias, List.of("-importcert", "-noprompt", "-file", certificate.toString()));
    }

    /** Writes the token of the runtime, and the public key of its issuer for the broker. */
    private void writeToken() throws IOException {
        try {
            RSAKey key = new RSAKeyGenerator(2048).keyID("issuer").generate();
            Instant now = Instant.now();
            SignedJWT token = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.RS256)
                            .keyID(key.getKeyID())
                            .build(),
                    new JWTClaimsSet.Builder()
                            .subject(Acls.RUNTIME)
                            .audience("kafka")
                            .issuer("issuer")
                            .issueTime(Date.from(now))
                            .expirationTime(Date.from(now.plus(TOKEN_LIFETIME)))
                            .build());
            token.sign(new RSASSASigner(key));
            Files.writeString(keys(), new JWKSet(key.toPublicJWK()).toString());
            Files.writeString(token(), token.serialize());
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private void keytool(Path store, String alias, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(arguments);
        command.addAll(List.of("-alias", alias, "-keystore", store.toString()));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", STORE_PASSWORD));
        Processes.run(new Launch(command, Map.of()), data, "");
    }

    private Path keyStore(String alias) {
        return data.resolve(alias + ".p12");
    }

    private Path keys() {
        return data.resolve("keys.json");
    }

    private Path token() {
        return data.resolve("token.jwt");
    }

    private Path trustStore() {
        return data.resolve("trust.p12");
    }

    private static String login(String module, String user) {
        return "%s required username=\"%s\" password=\"%s\";".formatted(module, user, password(user));
    }

    private static String password(String user) {
        return user + "-secret";
    }
}
