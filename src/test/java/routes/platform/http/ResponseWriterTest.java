package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import routes.platform.contract.OpenApi;

class ResponseWriterTest {

    private final ResponseWriter writer = new ResponseWriter(new ObjectMapper());
    private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    private final Message answer = exchange.getMessage();

    @Test
    void writesAValueAsJsonWithTheStatusOfTheContract() {
        answer.setBody(List.of("Zoë"));

        complete("publishEvents");

        assertThat(answer.getBody()).isInstanceOf(byte[].class);
        assertThat(answer.getBody(String.class)).isEqualTo("[\"Zoë\"]");
        assertThat(answer.getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(202);
        assertThat(answer.getHeader(Exchange.CONTENT_TYPE)).isEqualTo("application/json");
    }

    @Test
    void leavesBytesTextsAndStreamsAsTheyAre() {
        InputStream stream = new ByteArrayInputStream(new byte[0]);
        for (Object body : List.of(new byte[] {1}, "{}", stream)) {
            answer.setBody(body);

            complete("getDeadLetterContent");

            assertThat(answer.getBody()).isSameAs(body);
            assertThat(answer.getHeader(Exchange.CONTENT_TYPE)).isEqualTo("application/octet-stream");
        }
    }

    @Test
    void keepsTheStatusThatTheRouteSet() {
        answer.setHeader(Exchange.HTTP_RESPONSE_CODE, "202");

        complete("reprocessDeadLetters");

        assertThat(answer.getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo("202");
    }

    @Test
    void answers200WhereTheContractHasSeveralSuccesses() {
        complete("reprocessDeadLetters");

        assertThat(answer.getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(200);
    }

    @Test
    void leavesAProblemAsItIs() {
        answer.setHeader(Exchange.HTTP_RESPONSE_CODE, 404);
        answer.setHeader(Exchange.CONTENT_TYPE, Problem.MEDIA_TYPE);

        complete("listActivity");

        assertThat(answer.getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(404);
        assertThat(answer.getHeader(Exchange.CONTENT_TYPE)).isEqualTo(Problem.MEDIA_TYPE);
    }

    private void complete(String operation) {
        try {
            writer.complete(exchange, new OpenApi(new ClassPathResource("contract/openapi.yaml")).operation(operation));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
