package routes.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import routes.RouteTest;
import routes.platform.error.DeadLetterChannel;
import routes.platform.error.FailureClassifier;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.ProblemResponses;

class DeadletterRouteTest extends RouteTest {

    private static final String LETTERS = "medication.prescription.created.dlq";

    private final Store store = new Store();
    private final Jobs jobs = new Jobs();
    private final Worker worker = new Worker();
    private final Keys keys = new Keys();

    @Override
    protected String word() {
        return "deadletter";
    }

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
        registry.bind("idempotencyKeys", keys);
        registry.bind("problemResponses", new ProblemResponses(new ObjectMapper(), new FailureClassifier()));
    }

    @Override
    protected Object deadLetters() {
        return new NoOwner();
    }

    @Override
    protected String sinks() {
        return "kafka:dlq.*|micrometer:.*";
    }

    @Test
    void recordsABatchOfDeadLettersAndCountsThem() throws Exception {
        MockEndpoint counter = getMockEndpoint("mock:micrometer:counter:event-broker.dead.letters");
        counter.expectedBodiesReceived(2);

        receiveLetters(2);

        counter.assertIsSatisfied();
        assertThat(store.stored).hasSize(2);
    }

    @Test
    void skipsWhatItCannotTakeInTheEndAndCountsItAndDeadLettersNothing() throws Exception {
        MockEndpoint skipped = getMockEndpoint("mock:micrometer:counter:event-broker.records.skipped");
        skipped.expectedMessageCount(1);
        MockEndpoint dlq = getMockEndpoint("mock:kafka:dlq");
        dlq.expectedMessageCount(0);
        dlq.setResultWaitTime(1);
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
    void failsWhileTheDatabaseIsDownSoThatTheLettersComeAgain() throws Exception {
        MockEndpoint skipped = getMockEndpoint("mock:micrometer:counter:event-broker.records.skipped");
        skipped.expectedMessageCount(0);
        skipped.setResultWaitTime(1);
        store.failure = new DataAccessResourceFailureException("down");

        receiveLetters(1);

        await().untilAsserted(() -> assertThat(store.tried).hasValue(1));
        skipped.assertIsSatisfied();
        assertThat(store.stored).isEmpty();
    }

    @Test
    void answers202WhenALetterIsCertainToBeSent() {
        Exchange answer = request("direct:reprocessDeadLetter", Map.of(), "one");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        assertThat(answer.getMessage().getBody(String.class)).isEqualTo("{\"id\":\"one\"}");
    }

    @Test
    void answers409WhenALetterIsNotInAStateToBeSent() {
        Exchange answer = request("direct:reprocessDeadLetter", Map.of(), "sent");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(409);
        assertThat(answer.getMessage().getBody(String.class)).contains("the dead letter is REPROCESSED");
    }

    @Test
    void saysHowManyLettersWouldBeSentAndTouchesNoIdempotencyKey() {
        Exchange answer = request("direct:reprocessDeadLetters", Map.of("dryRun", true), "");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isNull();
        assertThat(answer.getMessage().getBody(String.class)).isEqualTo("{\"count\":7}");
        assertThat(jobs.started).isZero();
        assertThat(keys.claimed).isZero();
    }

    @Test
    void beginsAJob() {
        Exchange answer = request("direct:reprocessDeadLetters", Map.of(), "");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        assertThat(answer.getMessage().getBody(String.class)).isEqualTo("{\"jobId\":\"1\"}");
        assertThat(keys.kept).isEqualTo("{\"jobId\":\"1\"}");
    }

    @Test
    void beginsNoSecondJobForARequestThatWasAnswered() {
        keys.firstAnswer = "{\"jobId\":\"0\"}";

        Exchange answer = request("direct:reprocessDeadLetters", Map.of(), "");

        assertThat(answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class))
                .isEqualTo(202);
        assertThat(answer.getMessage().getBody(String.class)).isEqualTo("{\"jobId\":\"0\"}");
        assertThat(jobs.started).isZero();
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

    private Exchange request(String uri, Map<String, Object> parameters, String id) {
        return template.request(uri, exchange -> {
            new HttpRequest(CALLER, "c", "r", Optional.empty(), "POST", "/", Map.of(), parameters, "application/json")
                    .bindTo(exchange);
            exchange.getMessage().setHeader("id", id);
            exchange.getMessage().setBody("{}".getBytes());
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

    public static final class Keys {

        int claimed;
        String firstAnswer;
        String kept;

        public void claim(Exchange exchange) {
            claimed++;
            exchange.setProperty("firstAnswer", firstAnswer);
        }

        public void keep(Exchange exchange) {
            kept = exchange.getMessage().getBody(String.class);
        }
    }

    /** What the group of dead letters is: the owner of nothing. */
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
