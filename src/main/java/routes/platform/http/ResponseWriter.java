package routes.platform.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.io.Reader;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.springframework.stereotype.Component;
import routes.platform.contract.OperationContract;

/**
 * Completes the answer of a route by the contract of its operation: status, content type, and a value as JSON. Camel's
 * {@code bindingMode: json} would read every request body into memory and write texts in quotes.
 */
@Component
public class ResponseWriter {

    private final ObjectMapper mapper;

    public ResponseWriter(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    /** Leaves a problem as it is; of an answer it leaves the status that the route set, if any. */
    public void complete(Exchange exchange, OperationContract operation) {
        Message answer = exchange.getMessage();
        Integer status = answer.getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
        if (status == null) {
            status = operation.successStatus();
            answer.setHeader(Exchange.HTTP_RESPONSE_CODE, status);
        }
        if (status < 300) {
            answer.setHeader(Exchange.CONTENT_TYPE, operation.mediaType(status));
            writeJson(answer);
        }
    }

    /** Turns a body that is a value into JSON bytes. Bytes, texts and streams stay as they are. */
    public void writeJson(Message answer) {
        Object body = answer.getBody();
        if (body == null
                || body instanceof byte[]
                || body instanceof String
                || body instanceof InputStream
                || body instanceof Reader) {
            return;
        }
        try {
            answer.setBody(mapper.writeValueAsBytes(body));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(
                    "an answer is not JSON: " + body.getClass().getName(), e);
        }
    }
}
