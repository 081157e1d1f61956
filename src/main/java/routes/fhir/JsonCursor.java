package routes.fhir;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;

/** Reads a resource in JSON. */
final class JsonCursor implements FhirCursor {

    /** An attachment is one string, and the body is in memory already. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private final JsonParser in;

    private JsonCursor(JsonParser in) {
        this.in = in;
    }

    /**
     * Reads the whole text.
     *
     * @throws IOException when it is malformed
     */
    static void read(byte[] text, Reading reading) throws IOException {
        try (JsonParser in = FACTORY.createParser(text)) {
            in.nextToken();
            reading.read(new JsonCursor(in));
            if (in.nextToken() != null) {
                throw malformed();
            }
        } catch (JsonProcessingException e) {
            throw malformed();
        }
    }

    /** Its message would repeat the text. */
    private static IOException malformed() {
        return new IOException("malformed JSON");
    }

    @Override
    public void children(Visitor visitor) throws IOException {
        if (!in.hasToken(JsonToken.START_OBJECT)) {
            return;
        }
        for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
            if (in.nextToken() == JsonToken.START_ARRAY) {
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    visit(name, visitor);
                }
            } else {
                visit(name, visitor);
            }
        }
    }

    private void visit(String name, Visitor visitor) throws IOException {
        visitor.visit(name);
        // nothing to skip behind an element that the visitor has read
        in.skipChildren();
    }

    @Override
    public void resource(Visitor visitor) throws IOException {
        children(visitor);
    }

    @Override
    public String value() throws IOException {
        return in.getValueAsString();
    }
}
