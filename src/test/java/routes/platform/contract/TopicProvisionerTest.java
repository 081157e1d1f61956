package routes.platform.contract;

import static org.apache.kafka.common.KafkaFuture.completedFuture;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyCollection;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeConfigsResult;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.TopicProvisioner.Provision;
import routes.platform.contract.TopicProvisioner.Settings;

/** Checks the number of replicas in sync with a broker stand-in, since the sandbox has one broker. */
class TopicProvisionerTest {

    private static final String IN_SYNC = "min.insync.replicas";
    private static final String CREATED = "medication.prescription.created";

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final Map<String, NewTopic> created = new TreeMap<>();

    private final List<Channel> channels = contract.channels().stream()
            .flatMap(channel -> Stream.of(channel, contract.deadLetters(channel)))
            .toList();

    @Test
    void setsTwoReplicasInSyncWhenTheBrokerHasThree() {
        provision(brokers(3, "1", List.of()), null);

        assertThat(created).hasSize(channels.size()).allSatisfy((topic, asked) -> assertThat(asked.configs())
                .containsEntry(IN_SYNC, "2"));
        assertThat(created.get(CREATED).configs())
                .containsAllEntriesOf(contract.channel(CREATED).orElseThrow().config());
    }

    @Test
    void leavesFewerReplicasToTheBroker() {
        provision(brokers(2, "1", List.of()), (short) 2);

        assertThat(created).hasSize(channels.size()).allSatisfy((topic, asked) -> assertThat(asked.configs())
                .doesNotContainKey(IN_SYNC));
    }

    @Test
    void keepsAHigherDefaultOfTheBroker() {
        provision(brokers(5, "3", List.of()), (short) 5);

        assertThat(created).hasSize(channels.size()).allSatisfy((topic, asked) -> assertThat(asked.configs())
                .doesNotContainKey(IN_SYNC));
    }

    @Test
    void reportsUnsafeExistingTopics() {
        TopicProvisioner provisioner = provision(brokers(3, "1", channels), (short) 5);

        assertThat(created).isEmpty();
        assertThat(provisioner.drift())
                .contains(
                        CREATED + ": min.insync.replicas is 1, with 3 replicas it should be 2",
                        CREATED + ": replicas is 3, event-broker.topics.replicas says 5");
    }

    @Test
    void reportsNothingWithTwoOfThreeReplicasInSync() {
        assertThat(provision(brokers(3, "2", channels), (short) 3).drift()).isEmpty();
    }

    private TopicProvisioner provision(Admin admin, Short replicas) {
        TopicProvisioner provisioner =
                new TopicProvisioner(contract, admin, new Settings(Provision.CREATE, replicas, Duration.ofSeconds(1)));
        provisioner.afterSingletonsInstantiated();
        return provisioner;
    }

    /**
     * @param replicas of every existing or created topic
     * @param inSync {@code min.insync.replicas} of every topic that exists, or is created without it
     */
    private Admin brokers(int replicas, String inSync, List<Channel> existing) {
        Admin admin = mock(Admin.class);
        ListTopicsResult listed = mock(ListTopicsResult.class);
        when(listed.names())
                .thenReturn(
                        completedFuture(existing.stream().map(Channel::topic).collect(Collectors.toSet())));
        when(admin.listTopics()).thenReturn(listed);
        when(admin.createTopics(anyCollection(), any())).thenAnswer(call -> {
            assertThat(call.<CreateTopicsOptions>getArgument(1).shouldValidateOnly())
                    .isTrue();
            return new Created(call.getArgument(0), replicas, inSync);
        });
        when(admin.createTopics(anyCollection())).thenAnswer(call -> {
            call.<Collection<NewTopic>>getArgument(0).forEach(topic -> created.put(topic.name(), topic));
            return new Created(call.getArgument(0), replicas, inSync);
        });
        ListOffsetsResult ends = mock(ListOffsetsResult.class);
        when(ends.all()).thenReturn(completedFuture(Map.of()));
        when(admin.listOffsets(any())).thenReturn(ends);
        DescribeTopicsResult described = mock(DescribeTopicsResult.class);
        when(described.allTopicNames())
                .thenReturn(completedFuture(existing.stream()
                        .collect(Collectors.toMap(Channel::topic, channel -> description(channel, replicas)))));
        when(admin.describeTopics(anyCollection())).thenReturn(described);
        DescribeConfigsResult configured = mock(DescribeConfigsResult.class);
        when(configured.all())
                .thenReturn(completedFuture(existing.stream()
                        .collect(Collectors.toMap(
                                channel -> new ConfigResource(ConfigResource.Type.TOPIC, channel.topic()),
                                channel -> configuration(channel.config(), inSync)))));
        when(admin.describeConfigs(anyCollection())).thenReturn(configured);
        return admin;
    }

    private static TopicDescription description(Channel channel, int replicas) {
        List<Node> nodes = IntStream.range(0, replicas)
                .mapToObj(n -> new Node(n, "localhost", n))
                .toList();
        return new TopicDescription(
                channel.topic(),
                false,
                IntStream.range(0, channel.partitions())
                        .mapToObj(partition -> new TopicPartitionInfo(partition, nodes.get(0), nodes, nodes))
                        .toList());
    }

    private static Config configuration(Map<String, String> own, String inSync) {
        Map<String, String> all = new HashMap<>(own);
        all.putIfAbsent(IN_SYNC, inSync);
        return new Config(all.entrySet().stream()
                .map(entry -> new ConfigEntry(entry.getKey(), entry.getValue()))
                .toList());
    }

    private static final class Created extends CreateTopicsResult {

        private Created(Collection<NewTopic> topics, int replicas, String inSync) {
            super(topics.stream()
                    .collect(Collectors.toMap(
                            NewTopic::name,
                            topic -> completedFuture(new TopicMetadataAndConfig(
                                    Uuid.randomUuid(),
                                    topic.numPartitions(),
                                    replicas,
                                    configuration(topic.configs(), inSync))))));
        }
    }
}
