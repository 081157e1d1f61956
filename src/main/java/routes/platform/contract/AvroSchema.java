package routes.platform.contract;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParseException;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.core.io.ClassPathResource;

/**
 * An Avro schema of {@code schemas/}, in a file named after its subject in the schema registry.
 *
 * @param subject such as {@code patient-events-value}
 * @param text the unchanged file, for the registry. The schema of the generated class has other properties, so the
 *     registry would not match its text with those of other clients
 * @param type the class that the build generates from it
 */
public record AvroSchema(String subject, String text, Class<? extends SpecificRecord> type) {

    static final String SUFFIX = ".avsc";

    /** @param file a file name in {@code schemas/}, such as {@code patient-events-value.avsc} */
    static AvroSchema of(String file) throws IOException {
        ClassPathResource resource = new ClassPathResource("schemas/" + file);
        if (!resource.exists()) {
            throw new FileNotFoundException(file);
        }
        String text = resource.getContentAsString(StandardCharsets.UTF_8);
        try {
            Class<?> type = Class.forName(new Schema.Parser().parse(text).getFullName());
            return new AvroSchema(file.replace(SUFFIX, ""), text, type.asSubclass(SpecificRecord.class));
        } catch (SchemaParseException e) {
            throw new IllegalArgumentException("is not an Avro schema: " + e.getMessage(), e);
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException("has no generated class " + e.getMessage() + ": rebuild the project", e);
        }
    }

    /** The schema of the generated class, for reading values. */
    public Schema schema() {
        return SpecificData.get().getSchema(type);
    }
}
