package sandbox;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The broker as production has it: TLS, a password for each user (SCRAM), and nothing allowed that no ACL allows. Only {@code admin},
 * who gives the ACLs, and the broker itself need none.
 */
final class SecuredKafkaServer extends KafkaServer {

    static final String ADMIN = "admin";

    private static final List<String> USERS = List.of(ADMIN, Acls.RUNTIME, "medication-service", "stranger");
    private static final String STORE_PASSWORD = "store-secret";
    private static final String PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule";
    private static final String SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule";

    private volatile Path data;

    SecuredKafkaServer(MavenArtifacts artifacts) {
        super(artifacts);
    }

    @Override
    public void format(Site site) throws IOException, InterruptedException {
        data = site.data();
        keytool(
                "-genkeypair",
                "-alias",
                "broker",
                "-keyalg",
                "RSA",
                "-keysize",
                "2048",
                "-validity",
                "30",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:" + Ports.LOOPBACK,
                "-keystore",
                keyStore().toString());
        keytool(
                "-exportcert",
                "-alias",
                "broker",
                "-file",
                certificate().toString(),
                "-keystore",
                keyStore().toString());
        keytool(
                "-importcert",
                "-noprompt",
                "-alias",
                "broker",
                "-file",
                certificate().toString(),
                "-keystore",
                trustStore().toString());
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
    Map<String, String> furtherConfiguration() {
        Map<String, String> configuration = new HashMap<>();
        configuration.put("listener.security.protocol.map", "BROKER:SASL_SSL,CONTROLLER:SASL_PLAINTEXT");
        configuration.put("sasl.mechanism.inter.broker.protocol", "SCRAM-SHA-512");
        configuration.put("listener.name.broker.sasl.enabled.mechanisms", "SCRAM-SHA-512");
        configuration.put("listener.name.broker.scram-sha-512.sasl.jaas.config", login(SCRAM, ADMIN));
        configuration.put("sasl.mechanism.controller.protocol", "PLAIN");
        configuration.put("listener.name.controller.sasl.enabled.mechanisms", "PLAIN");
        configuration.put(
                "listener.name.controller.plain.sasl.jaas.config",
                login(PLAIN, "broker").replace(";", " user_broker=\"" + password("broker") + "\";"));
        configuration.put("ssl.keystore.type", "PKCS12");
        configuration.put("ssl.keystore.location", keyStore().toString());
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

    /** What a client of that user needs. */
    Map<String, Object> client(int port, String user) {
        return Map.of(
                "bootstrap.servers",
                address(port),
                "security.protocol",
                "SASL_SSL",
                "sasl.mechanism",
                "SCRAM-SHA-512",
                "sasl.jaas.config",
                login(SCRAM, user),
                "ssl.truststore.type",
                "PKCS12",
                "ssl.truststore.location",
                trustStore().toString(),
                "ssl.truststore.password",
                STORE_PASSWORD);
    }

    @Override
    public Map<String, String> properties(int port) {
        Map<String, String> properties = new HashMap<>(super.properties(port));
        client(port, Acls.RUNTIME).forEach((name, value) -> {
            if (!name.equals("bootstrap.servers")) {
                properties.put("camel.component.kafka." + name.replace('.', '-'), value.toString());
            }
        });
        return properties;
    }

    private void keytool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", STORE_PASSWORD));
        Processes.run(new Launch(command, Map.of()), data, "");
    }

    private Path keyStore() {
        return data.resolve("broker.p12");
    }

    private Path certificate() {
        return data.resolve("broker.crt");
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
