package routes.platform.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyBoolean;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import routes.Requests;
import routes.platform.Caller;
import routes.platform.error.ProblemException;
import routes.platform.http.HttpRequest;
import routes.platform.http.ResponseWriter;
import routes.platform.http.TestLimits;
import routes.platform.state.IdempotencyKeys.Kept;

class OncePerIdempotencyKeyTest {

    private static final Caller CALLER = new Caller("sandbox", "home", "home", null, Set.of(), Set.of());
    private static final byte[] FINGERPRINT = {1};
    private static final Processor STEPS = exchange -> exchange.getMessage().setBody(Map.of("jobId", "1"));

    private final IdempotencyKeys keys = mock(IdempotencyKeys.class);
    private final OncePerIdempotencyKey policy =
            new OncePerIdempotencyKey(keys, TestLimits.waiting(), new ResponseWriter(new ObjectMapper()));
    private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());

    @BeforeEach
    void aRequestWithAKeyThatItCanTake() {
        Requests.post(CALLER, "key-1").bindTo(exchange);
        exchange.setProperty(HttpRequest.FINGERPRINT, FINGERPRINT);
        when(keys.lease(any(), any())).thenReturn(true);
        when(keys.keep(any(), any(), anyString())).thenReturn(true);
    }

    @Test
    void runsTheStepsAndKeepsTheirAnswer() throws Exception {
        policy.process(exchange, STEPS);
        complete();

        verify(keys).keep(HttpRequest.of(exchange), FINGERPRINT, "{\"jobId\":\"1\"}");
        verify(keys, never()).release(any(), anyBoolean());
    }

    @Test
    void runsTheStepsOfARequestWithoutAKeyEachTime() throws Exception {
        Requests.post(CALLER).bindTo(exchange);

        policy.process(exchange, STEPS);

        assertThat(exchange.getMessage().getBody()).isEqualTo(Map.of("jobId", "1"));
        verify(keys, never()).lease(any(), any());
    }

    @Test
    void repeatsTheFirstAnswerWithoutTheSteps() throws Exception {
        when(keys.lease(any(), any())).thenReturn(false);
        when(keys.find(any())).thenReturn(Optional.of(new Kept(FINGERPRINT, "first")));

        policy.process(exchange, STEPS);

        assertThat(exchange.getMessage().getBody()).isEqualTo("first");
    }

    @Test
    void refusesTheKeyOfAnotherRequest() {
        when(keys.lease(any(), any())).thenReturn(false);
        when(keys.find(any())).thenReturn(Optional.of(new Kept(new byte[] {2}, "first")));

        assertThatThrownBy(() -> policy.process(exchange, STEPS))
                .isInstanceOfSatisfying(ProblemException.class, problem -> assertThat(problem.status())
                        .isEqualTo(409));
    }

    @ParameterizedTest
    @CsvSource({"400, true", "429, true", "500, false", "503, false"})
    void releasesTheKeyOfARequestThatHasNoAnswer(int status, boolean refused) throws Exception {
        policy.process(exchange, failing -> failing.setException(new IllegalStateException()));
        exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, status);
        complete();

        verify(keys).release(HttpRequest.of(exchange), refused);
        verify(keys, never()).keep(any(), any(), any());
    }

    @Test
    void givesTheAnswerOfTheRequestThatTookItsKey() throws Exception {
        when(keys.keep(any(), any(), anyString())).thenReturn(false);
        when(keys.find(any())).thenReturn(Optional.of(new Kept(FINGERPRINT, "theirs")));

        policy.process(exchange, STEPS);
        complete();

        assertThat(exchange.getMessage().getBody()).isEqualTo("theirs");
        verify(keys, never()).release(any(), anyBoolean());
    }

    private void complete() {
        UnitOfWorkHelper.doneSynchronizations(
                exchange, exchange.getExchangeExtension().handoverCompletions());
    }
}
