package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.apache.camel.Message;
import org.apache.camel.builder.NotifyBuilder;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.DefaultMessage;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessResourceFailureException;
import routes.Requests;
import routes.RouteFile;
import routes.RouteTest;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;

@RouteFile(
        value = "deadletter",
        sinks = {"kafka:dlq.*", "micrometer:.*"})
class DeadletterRouteTest extends RouteTest {

    private static final String LETTERS = "medication.prescription.created.dlq";

    private final Store store = new Store();
    private final Jobs jobs = new Jobs();
    private final Worker worker = new Worker();

    @Override
    protected void bind(Registry registry) {
        registry.bind("deadLetterStore", store);
        registry.bind("deadLetterQueries", new Queries());
        registry.bind("deadLetterDiscarder", new Discarder());
        registry.bind("deadLetterDetail", new Detail());
        registry.bind("deadLetterContent", new Content());
        registry.bind("deadLetterReprocessor", new Sending());
        registry.bind("originalRecordFetcher", new Fetching());
        registry.bind("reprocessJobService", jobs);
        registry.bind("reprocessJobWorker", worker);
    }

    @Override
    protected Object deadLetters() {
        return new NoOwner();
    }

    @Test
    void recordsABatchOfDeadLettersAndCountsThem() throws Exception {
        MockEndpoint counter = sink("micrometer:counter:event-broker.dead.letters");
        counter.expectedBodiesReceived(2);

        receiveLetters(2);

        counter.assertIsSatisfied();
        assertThat(store.stored).hasSize(2);
    }

    @Test
    void skipsABatchInTheEndAndDeadLettersNothing() throws Exception {
        MockEndpoint skipped = sink("micrometer:counter:event-broker.records.skipped", 1);
        MockEndpoint dlq = sink("kafka:dlq", 0);
        store.failure = new IllegalStateException();

        receiveLetters(1, 0);
        skipped.expectedMessageCount(0);
        skipped.setResultWaitTime(1);
        await().untilAsserted(() -> assertThat(store.tried).hasValue(1));
        skipped.assertIsSatisfied();
        skipped.reset();
        skipped.expectedMessageCount(1);
        receiveLetters(1, ATTEMPTS - 1);

        skipped.assertIsSatisfied();
        dlq.assertIsSatisfied();
    }

    @Test
    void skipsNothingWhileTheDatabaseIsDown() throws Exception {
        MockEndpoint skipped = sink("micrometer:counter:event-broker.records.skipped", 0);
        store.failure = new DataAccessResourceFailureException("down");

        receiveLetters(1);

        await().untilAsserted(() -> assertThat(store.tried).hasValue(1));
        skipped.assertIsSatisfied();
        assertThat(store.stored).isEmpty();
    }

    @Test
    void answers202WhenALetterIsCertainToBeSent() {
        Answer answer = call("reprocessDeadLetter", Requests.post(CALLER), Map.of("id", "one"));

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body()).isEqualTo("""
                {"id":"one"}""");
    }

    @Test
    void answers409ForALetterThatWasSentBefore() {
        Answer answer = call("reprocessDeadLetter", Requests.post(CALLER), Map.of("id", "sent"));

        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.body()).contains("the dead letter is REPROCESSED");
    }

    @Test
    void countsDeadLettersInADryRunAndStartsNoJob() {
        Answer answer = call("reprocessDeadLetters", Requests.post(CALLER, "key-1", Map.of("dryRun", true)), Map.of());

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("""
                {"count":7}""");
        assertThat(jobs.started).isZero();
        // a dry run leaves the key unused
        assertThat(call("reprocessDeadLetters", Requests.post(CALLER, "key-1"), Map.of())
                        .status())
                .isEqualTo(202);
    }

    @Test
    void startsOneJobForARepeatedRequest() {
        Answer first = call("reprocessDeadLetters", Requests.post(CALLER, "key-1"), Map.of());
        Answer repeat = call("reprocessDeadLetters", Requests.post(CALLER, "key-1"), Map.of());

        assertThat(first.status()).isEqualTo(202);
        assertThat(first.body()).isEqualTo("""
                {"jobId":"1"}""");
        assertThat(repeat.status()).isEqualTo(202);
        assertThat(repeat.header(Exchange.CONTENT_TYPE)).isEqualTo("application/json");
        assertThat(repeat.body()).isEqualTo(first.body());
        assertThat(jobs.started).isEqualTo(1);
    }

    @Test
    void goesOnSendingAfterAFailure() {
        worker.failure = new DataAccessResourceFailureException("down");

        await().untilAsserted(() -> assertThat(worker.turns).hasValueGreaterThan(2));
    }

    @Test
    void goesOnSendingAfterAnErrorToo() {
        NotifyBuilder handled = new NotifyBuilder(context)
                .fromRoute("deadletter-send")
                .whenCompleted(2)
                .create();
        NotifyBuilder failed = new NotifyBuilder(context)
                .fromRoute("deadletter-send")
                .whenFailed(1)
                .create();
        worker.failure = new NoClassDefFoundError("of a client");
        int before = worker.turns.get();

        await().untilAsserted(() -> assertThat(worker.turns).hasValueGreaterThan(before + 2));
        assertThat(handled.matches(10, TimeUnit.SECONDS)).isTrue();
        assertThat(failed.matches()).isFalse();
    }

    private void receiveLetters(int count) {
        receiveLetters(count, 0);
    }

    private void receiveLetters(int count, int unknownFailures) {
        template.send("kafka:{{event-broker.deadletter.topics}}", exchange -> {
            List<Message> letters = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                letters.add(new DefaultMessage(exchange));
            }
            exchange.setProperty(DeadLetterChannel.UNKNOWN_FAILURES, unknownFailures);
            exchange.setProperty(DeadLetterChannel.RECORD, new ConsumerRecord<>(LETTERS, 0, 0, null, null));
            exchange.getMessage().setHeader(KafkaConstants.TOPIC, LETTERS);
            exchange.getMessage().setBody(letters);
        });
    }

    public static final class Store {

        final List<Message> stored = new ArrayList<>();
        final AtomicInteger tried = new AtomicInteger();
        RuntimeException failure;

        public int saveAll(@Body List<Message> records) {
            tried.incrementAndGet();
            if (failure != null) {
                throw failure;
            }
            stored.addAll(records);
            return records.size();
        }
    }

    public static final class Queries {

        public List<String> list() {
            return List.of();
        }

        public List<String> summarize() {
            return List.of();
        }
    }

    public static final class Discarder {

        public String discard() {
            return "";
        }
    }

    public static final class Detail {

        public String show() {
            return "";
        }
    }

    public static final class Content {

        public void download() {
            // nothing to download
        }
    }

    public static final class Sending {

        public Map<String, String> reprocess(@Header("id") String id) {
            if (id.equals("sent")) {
                throw new ProblemException(409, "the dead letter is REPROCESSED");
            }
            return Map.of("id", id);
        }
    }

    public static final class Fetching {

        public void fetch() {
            // the letters here are whole
        }
    }

    public static final class Jobs {

        int started;

        public boolean isDryRun(Exchange exchange) {
            return HttpRequest.of(exchange).isTrue("dryRun");
        }

        public Map<String, Integer> count() {
            return Map.of("count", 7);
        }

        public Map<String, String> start() {
            return Map.of("jobId", String.valueOf(++started));
        }

        public String show() {
            return "";
        }

        public String cancel() {
            return "";
        }
    }

    public static final class Worker {

        final AtomicInteger turns = new AtomicInteger();
        volatile Throwable failure;

        public void runDueSteps() throws Throwable {
            turns.incrementAndGet();
            if (failure != null) {
                throw failure;
            }
        }
    }

    /** The group of dead letters owns no topic. */
    public static final class NoOwner {

        public boolean isBatch() {
            return false;
        }

        public boolean isSkipped() {
            return true;
        }

        public void logSkipped() {
            // nothing to log
        }

        public void createDeadLetter() {
            // never
        }

        public boolean isLarge() {
            return false;
        }

        public void omitValue() {
            // never
        }

        public void logWritten() {
            // never
        }
    }
}
