package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.component.kafka.KafkaEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.support.DefaultEndpoint;
import org.junit.jupiter.api.Test;

/** Fails when a later Camel adds an option that the consumer neither honours nor refuses. */
class PipelinedKafkaEndpointTest {

    /** Passed on to the Kafka client or the exchange, or honoured by the consumer itself. */
    private static final Set<String> HONOURED = Set.of(
            ("additionalProperties autoCommitEnable autoOffsetReset batching brokers checkCrcs clientId commitTimeoutMs "
                            + "consumerRequestTimeoutMs consumersCount exchangePattern fetchMaxBytes fetchMinBytes "
                            + "fetchWaitMaxMs groupId groupInstanceId headerDeserializer headerFilterStrategy "
                            + "heartbeatIntervalMs interceptorClasses isolationLevel kafkaClientFactory keyDeserializer "
                            + "maxPartitionFetchBytes maxPollIntervalMs maxPollRecords partitionAssignor "
                            + "preValidateHostAndPort reconnectBackoffMaxMs retryBackoffMaxMs retryBackoffMs "
                            + "sessionTimeoutMs topicIsPattern valueDeserializer")
                    .split(" "));

    /** Refused in addition to {@link PipelinedKafkaEndpoint.Option}. */
    private static final Set<String> REFUSED =
            Set.of("bridgeErrorHandler", "exceptionHandler", "kafkaManualCommitFactory");

    /** Decides whether a step waits; it makes no difference to the consumer. */
    private static final Set<String> NO_DIFFERENCE = Set.of("synchronous");

    @Test
    void honoursOrRefusesEveryOptionOfTheStockConsumer() {
        Set<String> decided = new TreeSet<>(HONOURED);
        decided.addAll(REFUSED);
        decided.addAll(NO_DIFFERENCE);
        Arrays.stream(PipelinedKafkaEndpoint.Option.values()).map(Enum::name).forEach(decided::add);

        Set<String> options = Stream.of(KafkaConfiguration.class, KafkaEndpoint.class, DefaultEndpoint.class)
                .flatMap(type -> Arrays.stream(type.getDeclaredFields()))
                .filter(PipelinedKafkaEndpointTest::concernsTheConsumer)
                .map(Field::getName)
                .filter(name -> !Set.of("configuration", "topic").contains(name))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(options).isEqualTo(decided);
    }

    private static boolean concernsTheConsumer(Field field) {
        UriParam option = field.getAnnotation(UriParam.class);
        if (option == null) {
            return false;
        }
        List<String> labels = List.of(option.label().split(","));
        return !labels.contains("producer") && !labels.contains("security");
    }
}
