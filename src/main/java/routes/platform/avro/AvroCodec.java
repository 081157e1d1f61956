package routes.platform.avro;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.avro.AvroTypeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaIncompatibilityType;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.stereotype.Component;
import routes.platform.contract.AsyncApi;
import routes.platform.contract.AvroSchema;
import routes.platform.contract.Channel;
import routes.platform.error.MalformedAvroException;
import routes.platform.error.ProblemException;
import routes.platform.error.SchemaViolationException;
import routes.platform.error.UnknownSchemaException;

/** Converts the bytes of a record to and from the class that the build generates from its schema. */
@Component
public class AvroCodec {

    private static final int FRAME = 5;

    private final SchemaRegistry registry;

    /** The schemas of the contract, by the classes of their records. */
    private final Map<Class<?>, AvroSchema> schemas;

    private final Map<Version, DatumReader<SpecificRecord>> readers = new ConcurrentHashMap<>();

    public AvroCodec(AsyncApi contract, SchemaRegistry registry) {
        this.registry = registry;
        this.schemas = contract.channels().stream()
                .map(Channel::avro)
                .filter(schema -> schema != null)
                .distinct()
                .collect(Collectors.toMap(AvroSchema::type, schema -> schema));
    }

    /** @param id the id of the writer's schema */
    private record Version(int id, AvroSchema reader) {}

    /**
     * Reads a value of any writer as a record of our schema: unknown fields are dropped, and missing fields get their
     * defaults.
     *
     * @param value of a record, with its frame
     * @throws MalformedAvroException when the value is empty, has no Confluent frame, or contradicts its schema
     * @throws UnknownSchemaException when the registry does not know the schema id, or not on this subject
     * @throws SchemaViolationException when the writer's schema does not resolve to ours
     * @throws RegistryUnavailableException when the schema is not in memory and the registry does not answer
     */
    public SpecificRecord decode(byte[] value, AvroSchema ours) throws RegistryUnavailableException {
        if (value == null || value.length == 0) {
            throw new MalformedAvroException("empty, expected Avro");
        }
        if (value[0] != 0) {
            throw new MalformedAvroException("does not begin with byte 0, expected Avro in Confluent's wire format");
        }
        if (value.length < FRAME) {
            throw new MalformedAvroException("ends within the schema id of Confluent's wire format");
        }
        int id = ByteBuffer.wrap(value).getInt(1);
        DatumReader<SpecificRecord> reader = reader(new Version(id, ours));
        BoundedDecoder in = new BoundedDecoder(value, FRAME);
        SpecificRecord record;
        int left;
        try {
            record = reader.read(null, in);
            left = in.remaining();
        } catch (ProblemException e) {
            throw e;
        } catch (EOFException e) {
            throw new MalformedAvroException("ends within the value of schema id " + id);
        } catch (AvroTypeException e) {
            throw unresolved(id, ours);
        } catch (StackOverflowError e) {
            throw new MalformedAvroException("is nested too deeply by schema id " + id);
        } catch (IOException | RuntimeException e) {
            throw new MalformedAvroException("does not match schema id " + id);
        }
        if (left > 0) {
            throw new MalformedAvroException("has " + left + " bytes after the value of schema id " + id);
        }
        return record;
    }

    /**
     * Writes a record with the contract's schema for its class.
     *
     * @return the value of a record, with its frame
     * @throws RegistryUnavailableException when the id of our schema is not in memory and the registry does not answer
     */
    public byte[] encode(SpecificRecord value) throws RegistryUnavailableException {
        AvroSchema ours = schemas.get(value.getClass());
        if (ours == null) {
            throw new IllegalArgumentException("no topic of the contract has values of " + value.getClass());
        }
        return write(ours, value, new SpecificDatumWriter<>(value.getSchema(), SpecificData.getForClass(ours.type())));
    }

    /**
     * Writes JSON with a schema of the contract.
     *
     * @return the value of a record, with its frame
     * @throws SchemaViolationException with the places that do not fit
     * @throws RegistryUnavailableException when the id of the schema is not in memory and the registry does not answer
     */
    public byte[] encode(JsonNode json, AvroSchema ours) throws RegistryUnavailableException {
        return write(ours, AvroJson.read(json, ours.schema()), new GenericDatumWriter<>(ours.schema()));
    }

    private <T> byte[] write(AvroSchema ours, T value, DatumWriter<T> writer) throws RegistryUnavailableException {
        int id = registry.id(ours)
                .orElseThrow(() ->
                        new RegistryUnavailableException("schemas/" + ours.subject() + ".avsc is not registered"));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            out.write(ByteBuffer.allocate(FRAME).put((byte) 0).putInt(id).array());
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
            writer.write(value, encoder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write to memory", e);
        }
        return out.toByteArray();
    }

    private DatumReader<SpecificRecord> reader(Version version) throws RegistryUnavailableException {
        DatumReader<SpecificRecord> known = readers.get(version);
        if (known != null) {
            return known;
        }
        Schema writer = registry.schema(version.id(), version.reader().subject());
        return readers.computeIfAbsent(
                version,
                v -> new SpecificDatumReader<>(
                        writer,
                        v.reader().schema(),
                        SpecificData.getForClass(v.reader().type())));
    }

    private SchemaViolationException unresolved(int id, AvroSchema ours) throws RegistryUnavailableException {
        String where = SchemaCompatibility.checkReaderWriterCompatibility(
                        ours.schema(), registry.schema(id, ours.subject()))
                .getResult()
                .getIncompatibilities()
                .stream()
                // Avro resolves by types, so a client may use other record names
                .filter(why -> why.getType() != SchemaIncompatibilityType.NAME_MISMATCH)
                .limit(1)
                .map(why -> ": " + why.getType() + " at " + why.getLocation())
                .collect(Collectors.joining());
        return new SchemaViolationException("schema id " + id + " does not resolve to " + ours.subject() + where);
    }
}
