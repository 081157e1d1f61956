package routes.platform.avro;

import java.io.InputStream;
import java.io.OutputStream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.dataformat.avro.AvroDataFormat;
import org.springframework.stereotype.Component;
import routes.platform.contract.AsyncApi;

/**
 * Camel's Avro data format with Confluent's frame: {@code marshal: {custom: {ref: avro}}} writes a generated record, {@code unmarshal}
 * reads the value of a record as its topic says. An entry route does not need it: {@code events} reads Avro as it reads JSON.
 */
@Component("avro")
public class ConfluentAvroDataFormat extends AvroDataFormat {

    private final AsyncApi contract;
    private final AvroCodec codec;

    public ConfluentAvroDataFormat(AsyncApi contract, AvroCodec codec) {
        this.contract = contract;
        this.codec = codec;
    }

    @Override
    public void marshal(Exchange exchange, Object record, OutputStream out) throws Exception {
        out.write(codec.encode((SpecificRecord) record));
    }

    @Override
    public Object unmarshal(Exchange exchange, InputStream in) throws Exception {
        String topic = exchange.getMessage().getHeader(KafkaConstants.TOPIC, String.class);
        return codec.decode(
                in.readAllBytes(),
                contract.channel(topic)
                        .map(channel -> channel.avro())
                        .orElseThrow(() -> new IllegalArgumentException(topic + " is no topic of Avro values")));
    }
}
