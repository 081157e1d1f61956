package routes.platform.contract;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.stereotype.Component;

/**
 * Creates the topics of the contract before the first route starts. It compares existing topics with the contract and
 * reports differences, but never changes them: an operator decides about topics with data.
 */
@Component
public class TopicProvisioner implements SmartInitializingSingleton {

    private static final Logger LOG = LoggerFactory.getLogger(TopicProvisioner.class);

    private static final Duration RETRY = Duration.ofMillis(50);

    private static final String IN_SYNC = "min.insync.replicas";

    /** With this many replicas, two must acknowledge a record: one may be lost while another is down. */
    private static final int SAFE_REPLICAS = 3;

    private static final int SAFE_IN_SYNC = 2;

    private final AsyncApi contract;
    private final Admin admin;
    private final Settings settings;
    private List<String> drift = List.of();

    TopicProvisioner(AsyncApi contract, Admin admin, Settings settings) {
        this.contract = contract;
        this.admin = admin;
        this.settings = settings;
    }

    /**
     * @param provision creates missing topics, fails the start (verify), or does nothing (off)
     * @param replicas replication factor of created topics; null leaves it to the broker. Topics with three or more get
     *     min.insync.replicas=2
     * @param timeout for the broker at start; then the start fails
     */
    @ConfigurationProperties("event-broker.topics")
    record Settings(
            @DefaultValue("create") Provision provision, Short replicas, @DefaultValue("60s") Duration timeout) {}

    enum Provision {
        CREATE,
        VERIFY,
        OFF
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (settings.provision() == Provision.OFF) {
            return;
        }
        Map<String, Channel> wanted = new TreeMap<>();
        contract.channels().stream()
                .flatMap(channel -> Stream.of(channel, contract.deadLetters(channel)))
                .forEach(channel -> wanted.put(channel.topic(), channel));

        Set<String> existing = await(admin.listTopics().names(), "listing topics");
        List<Channel> missing = wanted.values().stream()
                .filter(c -> !existing.contains(c.topic()))
                .toList();
        if (!missing.isEmpty() && settings.provision() == Provision.VERIFY) {
            throw new TopicProvisioningException("missing topics: "
                    + missing.stream().map(Channel::topic).collect(Collectors.joining(", "))
                    + " (event-broker.topics.provision=verify does not create them)");
        }
        create(missing);
        wanted.keySet().retainAll(existing);
        drift = drift(wanted);
        drift.forEach(line -> LOG.warn("topic drift: {}", line));
    }

    /** The differences between existing topics and the contract, a line each. */
    public List<String> drift() {
        return drift;
    }

    private void create(List<Channel> missing) {
        List<NewTopic> topics = missing.stream()
                .map(c -> new NewTopic(c.topic(), Optional.of(c.partitions()), Optional.ofNullable(settings.replicas()))
                        .configs(c.config()))
                .toList();
        // the broker may decide the number of replicas
        CreateTopicsResult planned = admin.createTopics(topics, new CreateTopicsOptions().validateOnly(true));
        List<NewTopic> safe = topics.stream()
                .flatMap(topic -> unlessOthersCreated(() -> safe(topic, planned)).stream())
                .toList();
        admin.createTopics(safe)
                .values()
                .forEach((topic, created) -> unlessOthersCreated(() -> {
                    await(created, "creating topic " + topic);
                    LOG.info("created topic {}", topic);
                    return topic;
                }));
        awaitLeaders(missing);
    }

    /** Returns empty when another instance has already created the topic. */
    private static <T> Optional<T> unlessOthersCreated(Supplier<T> work) {
        try {
            return Optional.of(work.get());
        } catch (TopicProvisioningException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private NewTopic safe(NewTopic topic, CreateTopicsResult planned) {
        String doing = "creating topic " + topic.name();
        int replicas = await(planned.replicationFactor(topic.name()), doing);
        if (!isUnsafe(replicas, await(planned.config(topic.name()), doing))) {
            return topic;
        }
        Map<String, String> config = new HashMap<>(topic.configs());
        config.put(IN_SYNC, String.valueOf(SAFE_IN_SYNC));
        return topic.configs(config);
    }

    /** A broker's default may be higher. */
    private static boolean isUnsafe(int replicas, Config config) {
        return replicas >= SAFE_REPLICAS && Integer.parseInt(config.get(IN_SYNC).value()) < SAFE_IN_SYNC;
    }

    /**
     * Waits for the leaders of new topics. A leader that does not serve yet may reject a producer's first batch and
     * accept its second. Then the first batch is out of order until it times out (KAFKA-15591).
     */
    private void awaitLeaders(List<Channel> created) {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        created.forEach(c -> IntStream.range(0, c.partitions())
                .forEach(partition -> ends.put(new TopicPartition(c.topic(), partition), OffsetSpec.latest())));
        for (Instant end = Instant.now().plus(settings.timeout()); ; ) {
            try {
                await(admin.listOffsets(ends).all(), "waiting for the leaders of new topics");
                return;
            } catch (TopicProvisioningException e) {
                if (!(e.getCause() instanceof RetriableException)
                        || Instant.now().isAfter(end)) {
                    throw e;
                }
                LockSupport.parkNanos(RETRY.toNanos());
            }
        }
    }

    private List<String> drift(Map<String, Channel> wanted) {
        Map<String, TopicDescription> descriptions =
                await(admin.describeTopics(wanted.keySet()).allTopicNames(), "describing topics");
        List<ConfigResource> resources = wanted.keySet().stream()
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                .toList();
        Map<ConfigResource, Config> configs =
                await(admin.describeConfigs(resources).all(), "describing topics");
        List<String> lines = new ArrayList<>();
        wanted.forEach((topic, channel) -> {
            List<TopicPartitionInfo> found = descriptions.get(topic).partitions();
            int partitions = found.size();
            if (partitions != channel.partitions()) {
                lines.add(topic + ": partitions is " + partitions + ", the contract says " + channel.partitions());
            }
            int replicas = found.get(0).replicas().size();
            if (settings.replicas() != null && settings.replicas() != replicas) {
                lines.add(topic + ": replicas is " + replicas + ", event-broker.topics.replicas says "
                        + settings.replicas());
            }
            Config actual = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, topic));
            channel.config().forEach((name, value) -> {
                String is = actual.get(name).value();
                if (!value.equals(is)) {
                    lines.add(topic + ": " + name + " is " + is + ", the contract says " + value);
                }
            });
            if (isUnsafe(replicas, actual)) {
                lines.add("%s: %s is %s, with %d replicas it should be %d"
                        .formatted(topic, IN_SYNC, actual.get(IN_SYNC).value(), replicas, SAFE_IN_SYNC));
            }
        });
        return List.copyOf(lines);
    }

    private <T> T await(org.apache.kafka.common.KafkaFuture<T> future, String doing) {
        try {
            return future.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new TopicProvisioningException(
                    doing + " failed: " + e.getCause().getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new TopicProvisioningException(doing + " took longer than "
                    + settings.timeout().toSeconds() + " s: is the broker of camel.component.kafka.brokers reachable?");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TopicProvisioningException(doing + " was interrupted");
        }
    }
}
