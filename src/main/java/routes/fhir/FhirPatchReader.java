package routes.fhir;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.stream.XMLStreamReader;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/**
 * Reads JSON patches and XML patches for the conditional references that they write.
 *
 * <p>A JSON patch may also copy or move a text of the resource, which this reader cannot see. The text may become a
 * conditional reference. XML patches and FHIRPath patches write only what they contain, and move items within a list.
 */
@Component
class FhirPatchReader {

    /** The longest patch in XML, whose texts the reader collects. */
    private static final int MAX_XML = 1 << 20;

    private static final Set<String> OF_OPERATION = Set.of("op", "from", "path");
    private static final Set<String> JSON_OPERATIONS = Set.of("add", "remove", "replace", "move", "copy", "test");
    private static final Set<String> TRANSFERS = Set.of("copy", "move");
    private static final Set<String> XML_OPERATIONS = Set.of("add", "replace", "remove");

    /** The place of an item in a list, which JSON patches end with. */
    private static final Pattern ITEM = Pattern.compile("(?<list>.*)/(?:[0-9]+|-)");

    /** XPath engines read other documents by this function. */
    private static final Pattern DOCUMENT = Pattern.compile("document\\s*\\(");

    private final JsonElements json;
    private final XmlElements xml;
    private final ConditionalReferences references;

    FhirPatchReader(JsonElements json, XmlElements xml, ConditionalReferences references) {
        this.json = json;
        this.xml = xml;
        this.references = references;
    }

    /**
     * @param format a JSON patch or an XML patch
     * @throws ProblemException 400 when it is no patch, 413 beyond the limits
     */
    FhirContent read(FhirFormat format, byte[] patch) {
        Set<FhirPermission> needs = new HashSet<>();
        if (format == FhirFormat.JSON_PATCH) {
            json.readArray(patch, new JsonPatch(needs));
        } else {
            if (patch.length > MAX_XML) {
                throw new ProblemException(413, "body: an XML patch has more than " + MAX_XML + " bytes");
            }
            xml.read(patch, new XmlPatch(needs));
        }
        return FhirContent.patch(needs);
    }

    private void add(String text, Set<FhirPermission> needs) {
        NumberLimits.requireText(text, "body");
        needs.addAll(references.needs(text));
    }

    /** The operations of a JSON patch, each a root. */
    private final class JsonPatch implements FhirElements {

        private final Set<FhirPermission> needs;
        private final Map<String, String> operation = new HashMap<>();
        private int depth;

        JsonPatch(Set<FhirPermission> needs) {
            this.needs = needs;
        }

        @Override
        public void begin(String name, Place place) {
            if (depth++ == 0) {
                operation.clear();
            }
        }

        @Override
        public void value(String name, String text, Place place) {
            boolean isOperation = depth == 1 && place == Place.SINGLE;
            if (depth == 0) {
                throw new ProblemException(400, "body: a JSON patch is a list of operations");
            }
            if (text != null) {
                if (isOperation && OF_OPERATION.contains(name)) {
                    operation.put(name, text);
                }
                add(text, needs);
            }
        }

        @Override
        public void end() {
            if (--depth > 0) {
                return;
            }
            String op = operation.get("op");
            if (op == null || operation.get("path") == null) {
                throw new ProblemException(400, "body: an operation of a JSON patch has no op or no path");
            }
            if (!JSON_OPERATIONS.contains(op)) {
                throw new ProblemException(400, "body: an operation of a JSON patch has an unknown op");
            }
            if (TRANSFERS.contains(op) && !isWithinOneList(operation.get("from"), operation.get("path"))) {
                needs.add(new FhirPermission('s', "*"));
            }
        }

        /** The items of a list have one type: in another place, none of their texts has another meaning. */
        private static boolean isWithinOneList(String from, String path) {
            Matcher source = ITEM.matcher(from == null ? "" : from);
            Matcher target = ITEM.matcher(path);
            return source.matches() && target.matches() && source.group("list").equals(target.group("list"));
        }
    }

    /** The operations of an XML patch: its values are attributes and texts. */
    private final class XmlPatch implements XmlElements.Events {

        private final Set<FhirPermission> needs;

        /** The own text of each open element, which a comment or another element may split. */
        private final Deque<StringBuilder> texts = new ArrayDeque<>();

        XmlPatch(Set<FhirPermission> needs) {
            this.needs = needs;
        }

        @Override
        public void start(XMLStreamReader reader, int depth) {
            String name = reader.getLocalName();
            if (depth == 1 && !name.equals("diff") || depth == 2 && !XML_OPERATIONS.contains(name)) {
                throw new ProblemException(400, "body: an XML patch is a diff of add, replace and remove");
            }
            for (int i = 0; i < reader.getAttributeCount(); i++) {
                String value = reader.getAttributeValue(i);
                if (depth == 2 && DOCUMENT.matcher(value).find()) {
                    throw new ProblemException(400, "body: an XML patch must not read other documents");
                }
                add(value, needs);
            }
            texts.push(new StringBuilder());
        }

        @Override
        public void end() {
            add(texts.pop().toString(), needs);
        }

        @Override
        public void text(XMLStreamReader reader) {
            if (!texts.isEmpty()) {
                texts.peek().append(reader.getTextCharacters(), reader.getTextStart(), reader.getTextLength());
            }
        }
    }
}
