package sandbox;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.Channel;

/**
 * Prints the least ACLs of each role, from {@code asyncapi.yaml}, as commands of Kafka's own tool: {@code ./mvnw
 * spring-boot:test-run@acls}.
 */
public final class Acls {

    /** The runtime. */
    public static final String RUNTIME = "event-broker";

    /** The runtime that also creates missing topics. */
    public static final String PROVISIONING = RUNTIME + ", with event-broker.topics.provision=create";

    private Acls() {}

    public static void main(String[] arguments) {
        of(new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"))).forEach((role, bindings) -> {
            System.out.printf("%n# %s%n", role);
            commands(bindings).forEach(System.out::println);
        });
    }

    /** Returns the ACLs by role: the runtime, its topic provisioning, and each event source that writes to a topic. */
    public static Map<String, List<AclBinding>> of(AsyncApi contract) {
        Map<String, List<AclBinding>> roles = new LinkedHashMap<>();
        roles.put(RUNTIME, new ArrayList<>());
        roles.put(PROVISIONING, new ArrayList<>());
        Set<String> groups = new TreeSet<>();
        for (Channel channel : contract.channels()) {
            for (Channel topic : List.of(channel, contract.deadLetters(channel))) {
                // a dead letter can be reprocessed to any topic, also to one that the runtime only reads
                List<AclOperation> operations = new ArrayList<>(List.of(AclOperation.WRITE));
                if (!topic.groups().isEmpty()) {
                    operations.add(AclOperation.READ);
                }
                operations.add(AclOperation.DESCRIBE_CONFIGS);
                roles.get(RUNTIME).addAll(allow(RUNTIME, ResourceType.TOPIC, topic.topic(), operations));
                roles.get(PROVISIONING)
                        .addAll(allow(RUNTIME, ResourceType.TOPIC, topic.topic(), List.of(AclOperation.CREATE)));
                groups.addAll(topic.groups());
            }
            if (channel.eventSource() != null) {
                roles.computeIfAbsent(channel.eventSource(), source -> new ArrayList<>())
                        .addAll(allow(
                                channel.eventSource(),
                                ResourceType.TOPIC,
                                channel.topic(),
                                List.of(AclOperation.WRITE)));
            }
        }
        groups.forEach(group ->
                roles.get(RUNTIME).addAll(allow(RUNTIME, ResourceType.GROUP, group, List.of(AclOperation.READ))));
        return roles;
    }

    private static List<AclBinding> allow(
            String principal, ResourceType type, String name, List<AclOperation> operations) {
        return operations.stream()
                .map(operation -> new AclBinding(
                        new ResourcePattern(type, name, PatternType.LITERAL),
                        new AccessControlEntry("User:" + principal, "*", operation, AclPermissionType.ALLOW)))
                .toList();
    }

    /** Returns one command for each resource. */
    private static Set<String> commands(List<AclBinding> bindings) {
        return bindings.stream()
                .map(AclBinding::pattern)
                .distinct()
                .map(resource -> "kafka-acls.sh --bootstrap-server \"$BROKERS\" --command-config admin.properties --add"
                        + " --allow-principal " + bindings.get(0).entry().principal()
                        + bindings.stream()
                                .filter(binding -> binding.pattern().equals(resource))
                                .map(binding -> " --operation "
                                        + word(binding.entry().operation().name()))
                                .collect(Collectors.joining())
                        + " --" + resource.resourceType().name().toLowerCase(Locale.ROOT) + " " + resource.name())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Spells the operation as the tool does: DescribeConfigs for DESCRIBE_CONFIGS. */
    private static String word(String operation) {
        return Arrays.stream(operation.split("_"))
                .map(part -> part.charAt(0) + part.substring(1).toLowerCase(Locale.ROOT))
                .collect(Collectors.joining());
    }
}
