package routes.platform.error;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.support.DefaultMessage;
import org.apache.kafka.common.header.Header;

/**
 * A message for a step {@code kafka:} that becomes a record with exactly these headers, in their order: upper and lower case are different
 * names, a name may come more than once, and a value may be null. Camel's own headers of a message could have none of that.
 */
public final class RecordMessage extends DefaultMessage {

    private final List<Header> recordHeaders;

    RecordMessage(CamelContext camel, List<Header> recordHeaders) {
        super(camel);
        this.recordHeaders = recordHeaders;
    }

    /** So that a copy has them too. */
    @Override
    public RecordMessage newInstance() {
        return new RecordMessage(getCamelContext(), recordHeaders);
    }

    public List<Header> recordHeaders() {
        return recordHeaders;
    }
}
