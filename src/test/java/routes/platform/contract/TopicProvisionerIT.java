package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.TopicProvisioner.Provision;
import routes.platform.contract.TopicProvisioner.Settings;
import sandbox.Servers;
import sandbox.Topics;

class TopicProvisionerIT {

    /** The real contract, with topics that only this test uses. */
    private final String prefix = "it-" + UUID.randomUUID();

    private final String created = prefix + ".prescription.created";
    private AsyncApi contract;
    private Admin admin;

    @BeforeEach
    void open() throws Exception {
        String yaml = new ClassPathResource("contract/asyncapi.yaml").getContentAsString(StandardCharsets.UTF_8);
        contract = new AsyncApi(new ByteArrayResource(
                yaml.replace("address: medication.", "address: " + prefix + ".").getBytes(StandardCharsets.UTF_8)));
        admin = Admin.create(
                Map.of("bootstrap.servers", Servers.shared().properties().get("camel.component.kafka.brokers")));
    }

    @AfterEach
    void close() throws Exception {
        List<String> mine = admin.listTopics().names().get().stream()
                .filter(topic -> topic.startsWith(prefix))
                .toList();
        admin.deleteTopics(mine).all().get();
        admin.close();
    }

    @Test
    void createsEveryTopicAndItsDeadLetterTopic() throws Exception {
        TopicProvisioner provisioner = provision(Provision.CREATE);

        await().untilAsserted(() -> assertThat(admin.listTopics().names().get())
                .contains(
                        created,
                        created + ".dlq",
                        prefix + ".prescription.updated",
                        prefix + ".prescription.updated.dlq"));
        TopicDescription topic =
                admin.describeTopics(List.of(created)).allTopicNames().get().get(created);
        assertThat(topic.partitions()).hasSize(6);
        assertThat(config(created, "max.message.bytes")).isEqualTo("1048588");
        assertThat(config(created + ".dlq", "max.message.bytes")).isEqualTo(String.valueOf(1048588 + 65536));
        assertThat(config(created + ".dlq", "retention.ms")).isEqualTo("7776000000");
        assertThat(provisioner.drift()).isEmpty();
        assertThat(provision(Provision.VERIFY).drift()).isEmpty();
    }

    @Test
    void failsTheStartWithAMissingTopicWhenItOnlyVerifies() {
        assertThatThrownBy(() -> provision(Provision.VERIFY))
                .isInstanceOf(TopicProvisioningException.class)
                .hasMessageStartingWith("missing topics: ")
                .hasMessageContaining(created + ", " + created + ".dlq, ")
                .hasMessageContaining("event-broker.topics.provision=verify");
    }

    @Test
    void doesNothingWhenSwitchedOff() throws Exception {
        provision(Provision.OFF);

        assertThat(admin.listTopics().names().get()).doesNotContain(created);
    }

    @Test
    void reportsDriftAndChangesNothing() throws Exception {
        Topics.create(
                admin,
                List.of(new NewTopic(created, Optional.of(2), Optional.empty())
                        .configs(Map.of("retention.ms", "1000"))));

        TopicProvisioner provisioner = provision(Provision.CREATE);

        assertThat(provisioner.drift())
                .contains(
                        created + ": partitions is 2, the contract says 6",
                        created + ": retention.ms is 1000, the contract says 2592000000");
        assertThat(config(created, "retention.ms")).isEqualTo("1000");
    }

    private TopicProvisioner provision(Provision provision) {
        TopicProvisioner provisioner =
                new TopicProvisioner(contract, admin, new Settings(provision, null, Duration.ofSeconds(30)));
        provisioner.afterSingletonsInstantiated();
        return provisioner;
    }

    private String config(String topic, String name) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(List.of(resource))
                .all()
                .get()
                .get(resource)
                .get(name)
                .value();
    }
}
