package routes.fhir;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.springframework.stereotype.Component;
import routes.fhir.FhirElements.Place;
import routes.platform.error.ProblemException;

/** Reads JSON strictly and without a tree. Every server reads the accepted texts in the same way. */
@Component
class JsonElements {

    static final int MAX_DEPTH = 100;

    /** The longest text of FHIR: 1 MiB. The limit spares those that nobody reads. */
    private static final int MAX_TEXT = 1 << 20;

    private static final int MAX_NAME = 256;
    private static final int MAX_MEMBERS = 1_000;

    /** Without interning: names are the caller's, and interned ones stay. */
    private final JsonFactory factory = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH + 1)
                    .maxNameLength(MAX_NAME)
                    .maxStringLength(MAX_TEXT)
                    .maxNumberLength(NumberLimits.MAX_LENGTH)
                    .build())
            .build();

    /** @throws ProblemException 400 when the bytes are not one JSON object in UTF-8, 413 beyond the limits */
    void readObject(byte[] json, FhirElements elements) {
        read(json, JsonToken.START_OBJECT, "body: must be a JSON object", elements);
    }

    /**
     * Reads a list of objects, each as a root.
     *
     * @throws ProblemException 400 when the bytes are not one JSON array in UTF-8, 413 beyond the limits
     */
    void readArray(byte[] json, FhirElements elements) {
        read(json, JsonToken.START_ARRAY, "body: must be a JSON array", elements);
    }

    private void read(byte[] json, JsonToken root, String rule, FhirElements elements) {
        // the reader refuses what is not UTF-8, and Jackson a byte order mark
        try (JsonParser parser = factory.createParser(
                new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8.newDecoder()))) {
            if (parser.nextToken() != root) {
                throw new ProblemException(400, rule);
            }
            new Scan(parser, elements).run();
            if (parser.nextToken() != null) {
                throw new ProblemException(400, "body: has more than one JSON value");
            }
        } catch (StreamConstraintsException e) {
            throw new ProblemException(
                    413,
                    "body: a text has more than %d characters, a name %d, or a number %d"
                            .formatted(MAX_TEXT, MAX_NAME, NumberLimits.MAX_LENGTH));
        } catch (JsonProcessingException e) {
            throw new ProblemException(
                    400,
                    "body: not valid JSON at line %d, column %d"
                            .formatted(
                                    e.getLocation().getLineNr(), e.getLocation().getColumnNr()));
        } catch (IOException e) {
            throw new ProblemException(400, "body: not UTF-8");
        }
    }

    /** One pass over a body. */
    private static final class Scan {

        private final JsonParser parser;
        private final FhirElements elements;

        /** By depth: whether the container is an array, its name, and the number of its members. */
        private final boolean[] isArray = new boolean[MAX_DEPTH + 1];

        private final String[] names = new String[MAX_DEPTH + 1];
        private final int[] members = new int[MAX_DEPTH + 1];
        private int depth;
        private String name = "";

        Scan(JsonParser parser, FhirElements elements) {
            this.parser = parser;
            this.elements = elements;
        }

        void run() throws IOException {
            JsonToken token = parser.currentToken();
            do {
                read(token);
                token = depth == 0 ? null : parser.nextToken();
            } while (depth > 0);
        }

        private void read(JsonToken token) throws IOException {
            switch (token) {
                case START_OBJECT -> {
                    elements.begin(name, place());
                    push(false);
                }
                case START_ARRAY -> {
                    if (depth > 0 && isArray[depth]) {
                        throw new ProblemException(400, "body: an array stands in an array");
                    }
                    push(true);
                }
                case END_OBJECT -> {
                    elements.end();
                    pop();
                }
                case END_ARRAY -> pop();
                case FIELD_NAME -> nextMember();
                case VALUE_STRING -> elements.value(name, elements.wants(name) ? parser.getText() : "", place());
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                    NumberLimits.require(parser.getText(), "body");
                    elements.value(name, null, place());
                }
                default -> elements.value(name, null, place());
            }
        }

        private void nextMember() throws IOException {
            if (++members[depth] > MAX_MEMBERS) {
                throw new ProblemException(413, "body: an object has more than " + MAX_MEMBERS + " members");
            }
            name = parser.currentName();
        }

        private void push(boolean array) {
            if (++depth > MAX_DEPTH) {
                throw new ProblemException(413, "body: is nested more than " + MAX_DEPTH + " levels deep");
            }
            isArray[depth] = array;
            names[depth] = name;
            members[depth] = 0;
        }

        private void pop() {
            // the next item of an array bears the array's name
            name = names[depth--];
        }

        private Place place() {
            return depth > 0 && isArray[depth] ? Place.ITEM : Place.SINGLE;
        }
    }
}
