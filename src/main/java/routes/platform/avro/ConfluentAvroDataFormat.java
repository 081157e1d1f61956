package routes.platform.avro;

import java.io.InputStream;
import java.io.OutputStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.camel.Exchange;
import org.apache.camel.dataformat.avro.AvroDataFormat;
import org.springframework.stereotype.Component;

/**
 * Writes a generated record as Avro in Confluent's frame: {@code marshal: {custom: {ref: avro}}}. Entry routes read
 * Avro by {@code eventReader}, like JSON.
 */
@Component("avro")
public class ConfluentAvroDataFormat extends AvroDataFormat {

    private final AvroCodec codec;

    public ConfluentAvroDataFormat(AvroCodec codec) {
        this.codec = codec;
    }

    @Override
    public void marshal(Exchange exchange, Object record, OutputStream out) throws Exception {
        out.write(codec.encode((SpecificRecord) record));
    }

    /** Refuses to read: Camel's own format would take the frame for a value. */
    @Override
    public Object unmarshal(Exchange exchange, InputStream in) {
        throw new UnsupportedOperationException("an entry route reads Avro by eventReader");
    }
}
