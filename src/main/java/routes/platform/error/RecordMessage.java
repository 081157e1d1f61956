package routes.platform.error;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.support.DefaultMessage;
import org.apache.kafka.common.header.Header;

/**
 * A message that a step {@code kafka:} sends as a record with exactly these headers, in order. Camel's own message
 * headers ignore case and allow no repeated name; these keep case, repetitions and null values.
 */
public final class RecordMessage extends DefaultMessage {

    private final List<Header> recordHeaders;

    RecordMessage(CamelContext camel, List<Header> recordHeaders) {
        super(camel);
        this.recordHeaders = recordHeaders;
    }

    /** Keeps the record headers in a copy. */
    @Override
    public RecordMessage newInstance() {
        return new RecordMessage(getCamelContext(), recordHeaders);
    }

    public List<Header> recordHeaders() {
        return recordHeaders;
    }
}
