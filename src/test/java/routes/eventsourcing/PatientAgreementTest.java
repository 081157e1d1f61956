package routes.eventsourcing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Set;
import org.apache.avro.specific.SpecificRecord;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.core.io.ClassPathResource;
import routes.HostileJson;
import routes.KnownSchemas;
import routes.Requests;
import routes.platform.Caller;
import routes.platform.avro.AvroCodec;
import routes.platform.contract.AsyncApi;
import routes.platform.error.ProblemException;
import routes.platform.event.Event;
import routes.platform.event.EventReader;

/** Sends hostile JSON through the HTTP door, and reads each accepted event like a consumer. */
class PatientAgreementTest {

    private static final int CASES = 6000;
    private static final Caller CALLER = new Caller("sandbox", "home", "home", null, Set.of(), Set.of());

    private final AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
    private final AvroCodec avro = new AvroCodec(contract, new KnownSchemas(contract));
    private final EventReader events = new EventReader(contract, avro);
    private final PatientEventFactory http = new PatientEventFactory();
    private final DefaultCamelContext context = new DefaultCamelContext();

    @Test
    @Timeout(120)
    void readsEachAcceptedEvent() throws Exception {
        int accepted = 0;
        for (int seed = 0; seed < CASES; seed++) {
            byte[] sent = new HostileJson(seed)
                    .of(
                            """
                            {"type":"patient.profile.created",\
                            "data":{"firstName":"A","dateOfBirth":"1984","gender":"male","city":"B"}}""",
                            """
                            {"type":"patient.contact.updated","data":{"email":"a@example.org","phone":"1","reason":"x"}}""",
                            """
                            {"type":"patient.deceased","data":{"deceasedAt":"2024-02-29"}}""",
                            """
                            {"type":"patient.merged","data":{"mergedInto":"p-2"}}""");
            Exchange exchange = exchange();
            try {
                http.create("p-1", sent, exchange);
            } catch (ProblemException e) {
                continue;
            } catch (RuntimeException | StackOverflowError e) {
                fail("seed " + seed + ", the door fails with an unexpected error: " + HostileJson.start(sent), e);
            }
            accepted++;
            try {
                Message record = exchange.getMessage();
                Event<?> read = events.decode(
                        avro.encode((SpecificRecord) record.getBody()),
                        "patient.events",
                        record.getHeaders(),
                        System.currentTimeMillis());
                assertThat(read.metadata().tenant()).isEqualTo("home");
            } catch (Exception | AssertionError e) {
                fail("seed " + seed + ", the door accepts poison: " + HostileJson.start(sent), e);
            }
        }
        assertThat(accepted).isBetween(CASES / 5, CASES * 4 / 5);
    }

    private Exchange exchange() {
        Exchange exchange = new DefaultExchange(context);
        Requests.post(CALLER).bindTo(exchange);
        return exchange;
    }
}
