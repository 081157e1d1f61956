package routes.platform.kafka;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.Suspendable;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.spi.ExecutorServiceManager;
import org.apache.camel.spi.ThreadPoolProfile;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultMessage;
import org.apache.camel.util.concurrent.ThreadPoolRejectedPolicy;
import org.apache.kafka.clients.ClientDnsLookup;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import routes.platform.contract.AsyncApi;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.FailedRecordInBatchException;
import routes.platform.error.FailureClassifier;
import routes.platform.error.UnreadableRecordException;

/** Consumes for one route: runs the members of its group and the workers, and creates the exchange of each record. */
class PipelinedConsumer extends DefaultConsumer implements Suspendable {

    private static final long GRACE_MS = 2000;

    /** More than any event has. A dead letter is exempt: it keeps all headers of its record. */
    private static final int MAX_HEADERS = 1000;

    private final PipelinedKafkaEndpoint endpoint;
    private final KafkaConfiguration configuration;
    private final ConsumerSettings settings;
    private final FailureClassifier failures;
    private final LostRecords lost;
    private volatile List<GroupMember> members = List.of();
    private ExecutorService pollers;
    private ExecutorService workers;
    private long suspendedAt;

    PipelinedConsumer(
            PipelinedKafkaEndpoint endpoint,
            Processor processor,
            ConsumerSettings settings,
            FailureClassifier failures) {
        super(endpoint, processor);
        this.endpoint = endpoint;
        this.configuration = endpoint.getConfiguration();
        this.settings = settings;
        this.failures = failures;
        this.lost = new LostRecords(group(), Clock.systemUTC());
    }

    String group() {
        return configuration.getGroupId();
    }

    List<GroupMember> members() {
        return members;
    }

    LostRecords lost() {
        return lost;
    }

    @Override
    protected void doStart() throws Exception {
        super.doStart();
        if (configuration.isPreValidateHostAndPort()) {
            ClientUtils.parseAndValidateAddresses(
                    List.of(properties()
                            .getProperty(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG)
                            .split(",")),
                    ClientDnsLookup.USE_ALL_DNS_IPS);
        }
        int count = configuration.getConsumersCount();
        String name = "KafkaConsumer[" + group() + "]";
        ExecutorServiceManager threads = endpoint.getCamelContext().getExecutorServiceManager();
        pollers = threads.newFixedThreadPool(this, name, count);
        workers = threads.newThreadPool(this, name + "-worker", workerPool());
        Duration timeout = Duration.ofMillis(Math.min(
                configuration.getCommitTimeoutMs(), settings.drainTimeout().toMillis()));
        List<GroupMember> started = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            GroupMember member = new GroupMember(
                    name + "-" + i,
                    settings,
                    failures,
                    timeout,
                    new OffsetResetPolicy(String.valueOf(configuration.getAutoOffsetReset()), lost, timeout),
                    this::client,
                    this::subscribe,
                    this::dispatcher);
            started.add(member);
            pollers.execute(member);
        }
        suspendedAt = 0;
        members = List.copyOf(started);
        endpoint.getComponent().started(this);
    }

    @Override
    protected void doSuspend() throws Exception {
        suspendedAt = System.nanoTime();
        if (endpoint.getCamelContext().isStopping()) {
            // immediately, and not after other routes: the other instances wait for these partitions
            members.forEach(
                    member -> member.stop(suspendedAt + settings.drainTimeout().toNanos()));
        } else {
            members.forEach(GroupMember::suspend);
        }
        super.doSuspend();
    }

    @Override
    protected void doResume() throws Exception {
        suspendedAt = 0;
        members.forEach(GroupMember::resume);
        super.doResume();
    }

    /** Drains until a deadline that counts from the suspension: a shutdown first suspends all consumers together. */
    @Override
    protected void doStop() throws Exception {
        long since = suspendedAt == 0 ? System.nanoTime() : suspendedAt;
        members.forEach(member -> member.stop(since + settings.drainTimeout().toNanos()));
        if (pollers != null) {
            pollers.shutdown();
            awaitMembers();
            endpoint.getCamelContext().getExecutorServiceManager().shutdownNow(workers);
            endpoint.getCamelContext().getExecutorServiceManager().shutdownNow(pollers);
        }
        endpoint.getComponent().stopped(this);
        members = List.of();
        super.doStop();
    }

    /**
     * Has an unbounded queue, because the budget already bounds the records in it. No exchange may run on a poll
     * thread.
     */
    private ThreadPoolProfile workerPool() {
        ThreadPoolProfile profile = new ThreadPoolProfile("kafka-consumer-worker");
        profile.setPoolSize(settings.threads());
        profile.setMaxPoolSize(settings.threads());
        profile.setMaxQueueSize(Integer.MAX_VALUE);
        profile.setRejectedPolicy(ThreadPoolRejectedPolicy.Abort);
        return profile;
    }

    /** Waits even when Camel interrupts it: the last commit takes a moment, and has a deadline. */
    private void awaitMembers() {
        long deadline = System.nanoTime() + settings.drainTimeout().toNanos() + TimeUnit.MILLISECONDS.toNanos(GRACE_MS);
        boolean interrupted = false;
        while (true) {
            try {
                pollers.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private PartitionDispatcher dispatcher(TopicPartition partition, OffsetAndMetadata committed) {
        return new PartitionDispatcher(
                "%s partition %d, group %s".formatted(partition.topic(), partition.partition(), group()),
                committed,
                settings,
                configuration.isBatching() ? maxBatch() : 0,
                failures,
                workers,
                this::handle,
                System::nanoTime);
    }

    private int maxBatch() {
        Integer most = configuration.getMaxPollRecords();
        return most == null ? ConsumerConfig.DEFAULT_MAX_POLL_RECORDS : most;
    }

    private org.apache.kafka.clients.consumer.Consumer<Object, Object> client(PollBudget budget) {
        Properties properties = properties();
        properties.put(PollBudget.PROPERTY, budget);
        return endpoint.getKafkaClientFactory().getConsumer(properties);
    }

    private Properties properties() {
        Properties properties = configuration.createConsumerProperties();
        endpoint.updateClassProperties(properties);
        String brokers = endpoint.getKafkaClientFactory().getBrokers(configuration);
        if (brokers != null) {
            properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        }
        properties.put(ConsumerConfig.GROUP_ID_CONFIG, group());
        if (configuration.getGroupInstanceId() != null) {
            properties.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, configuration.getGroupInstanceId());
        }
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, PipelinedKafkaEndpoint.COMMITTED_ONLY);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, BudgetedBytesDeserializer.class.getName());
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, BudgetedBytesDeserializer.class.getName());
        return properties;
    }

    private void subscribe(
            org.apache.kafka.clients.consumer.Consumer<Object, Object> client, ConsumerRebalanceListener listener) {
        String topic = configuration.getTopic();
        if (configuration.isTopicIsPattern()) {
            client.subscribe(Pattern.compile(topic), listener);
        } else {
            client.subscribe(Arrays.stream(topic.split(",")).map(String::strip).collect(Collectors.toList()), listener);
        }
    }

    private boolean handle(
            List<ConsumerRecord<Object, Object>> messages, int unknownFailures, Consumer<Throwable> done) {
        Exchange exchange = createExchange(false);
        exchange.setProperty(DeadLetterChannel.UNKNOWN_FAILURES, unknownFailures);
        try {
            fill(exchange, messages);
        } catch (UnreadableRecordException e) {
            // the route's error policy decides, as for a failure of its first step
            exchange.setException(e);
        } catch (FailedRecordInBatchException e) {
            releaseExchange(exchange, false);
            throw e;
        }
        boolean completed = getAsyncProcessor().process(exchange, sync -> {
            if (!sync) {
                Throwable failure = failure(exchange);
                releaseExchange(exchange, false);
                done.accept(failure);
            }
        });
        if (completed) {
            Throwable failure = failure(exchange);
            releaseExchange(exchange, false);
            if (failure != null) {
                throw new HandlingException(failure);
            }
        }
        return completed;
    }

    private static Throwable failure(Exchange exchange) {
        if (exchange.getException() != null) {
            return exchange.getException();
        }
        return exchange.isFailed() || exchange.isRollbackOnly() ? new IllegalStateException("rolled back") : null;
    }

    /** Fills in a record like the stock consumer; with {@code batching}, a list of such messages of one partition. */
    private void fill(Exchange exchange, List<ConsumerRecord<Object, Object>> messages) {
        ConsumerRecord<Object, Object> first = messages.get(0);
        if (messages.size() == 1) {
            exchange.setProperty(DeadLetterChannel.RECORD, first);
        }
        Message in = exchange.getMessage();
        if (!configuration.isBatching()) {
            fill(in, exchange, first);
            return;
        }
        List<Message> batch = new ArrayList<>(messages.size());
        for (ConsumerRecord<Object, Object> message : messages) {
            Message element = new DefaultMessage(exchange);
            try {
                fill(element, exchange, message);
            } catch (UnreadableRecordException e) {
                throw messages.size() == 1 ? e : new FailedRecordInBatchException(batch.size(), e);
            }
            batch.add(element);
        }
        in.setHeader(KafkaConstants.TOPIC, first.topic());
        in.setHeader(KafkaConstants.PARTITION, first.partition());
        in.setBody(batch);
    }

    private void fill(Message in, Exchange exchange, ConsumerRecord<Object, Object> message) {
        int headers = 0;
        for (Header header : message.headers()) {
            if (++headers > MAX_HEADERS && !AsyncApi.isDeadLetterTopic(message.topic())) {
                throw new UnreadableRecordException(new TooManyHeadersException(MAX_HEADERS));
            }
            if (!configuration
                    .getHeaderFilterStrategy()
                    .applyFilterToExternalHeaders(header.key(), header.value(), exchange)) {
                in.setHeader(
                        header.key(), configuration.getHeaderDeserializer().deserialize(header.key(), header.value()));
            }
        }
        in.setHeader(KafkaConstants.PARTITION, message.partition());
        in.setHeader(KafkaConstants.TOPIC, message.topic());
        in.setHeader(KafkaConstants.OFFSET, message.offset());
        in.setHeader(KafkaConstants.HEADERS, message.headers());
        in.setHeader(KafkaConstants.TIMESTAMP, message.timestamp());
        in.setHeader(Exchange.MESSAGE_TIMESTAMP, message.timestamp());
        if (message.key() != null) {
            in.setHeader(KafkaConstants.KEY, message.key());
        }
        in.setBody(message.value());
    }

    /** Carries any failure of a route out of {@link RecordHandler}. */
    static final class HandlingException extends RuntimeException {

        HandlingException(Throwable cause) {
            super(null, cause, false, false);
        }
    }
}
