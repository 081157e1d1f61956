package routes.fhir;

import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.springframework.stereotype.Component;
import routes.fhir.FhirElements.Place;
import routes.platform.error.ProblemException;

/**
 * Reads FHIR's XML strictly and without a tree: UTF-8, no document type, no entities but the five of XML, and no
 * foreign namespaces.
 */
@Component
class XmlElements {

    static final String FHIR = "http://hl7.org/fhir";
    static final String XHTML = "http://www.w3.org/1999/xhtml";

    static final int MAX_DEPTH = JsonElements.MAX_DEPTH;

    /** The elements that hold a resource. */
    private static final Set<String> HOLDERS = Set.of("resource", "contained", "outcome");

    /** Bounds what the parser holds of one attribute or text, in bytes. */
    private static final int MAX_TEXT = 4 << 20;

    /** @throws ProblemException 400 when the bytes are not one FHIR resource in XML, 413 beyond the limits */
    void readResource(byte[] xml, FhirElements elements) {
        read(xml, new Scan(elements));
    }

    /** Receives the events of StAX that have a meaning in FHIR. */
    interface Events {

        void start(XMLStreamReader reader, int depth);

        void end();

        void text(XMLStreamReader reader);
    }

    /** @throws ProblemException 400 when the bytes are not one XML document in UTF-8, 413 beyond the limits */
    void read(byte[] xml, Events events) {
        requireShortTexts(xml);
        try {
            XMLStreamReader reader = factory()
                    .createXMLStreamReader(
                            new InputStreamReader(new ByteArrayInputStream(xml), StandardCharsets.UTF_8.newDecoder()));
            requireUtf8(reader);
            for (int depth = 0; reader.hasNext(); ) {
                switch (reader.next()) {
                    case XMLStreamConstants.START_ELEMENT -> {
                        if (++depth > MAX_DEPTH) {
                            throw new ProblemException(413, "body: is nested more than " + MAX_DEPTH + " levels deep");
                        }
                        events.start(reader, depth);
                    }
                    case XMLStreamConstants.END_ELEMENT -> {
                        depth--;
                        events.end();
                    }
                    case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> events.text(reader);
                    case XMLStreamConstants.DTD,
                            XMLStreamConstants.ENTITY_REFERENCE,
                            XMLStreamConstants.ENTITY_DECLARATION ->
                        throw new ProblemException(400, "body: XML must have no document type and no entities");
                    default -> {}
                }
            }
        } catch (XMLStreamException e) {
            throw new ProblemException(
                    400,
                    e.getLocation() == null
                            ? "body: not valid XML"
                            : "body: not valid XML at line %d, column %d"
                                    .formatted(
                                            e.getLocation().getLineNumber(),
                                            e.getLocation().getColumnNumber()));
        }
    }

    /** A factory for each body, because it is not safe for threads and keeps its last reader. */
    private static XMLInputFactory factory() {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        return factory;
    }

    private static void requireUtf8(XMLStreamReader reader) {
        String encoding = reader.getCharacterEncodingScheme();
        if (encoding != null && !encoding.equalsIgnoreCase("UTF-8")) {
            throw new ProblemException(400, "body: the encoding of XML must be UTF-8");
        }
        if (reader.getVersion() != null && !reader.getVersion().equals("1.0")) {
            throw new ProblemException(400, "body: the version of XML must be 1.0");
        }
    }

    private static void requireShortTexts(byte[] xml) {
        int start = 0;
        for (int i = 0; i < xml.length; i++) {
            if (xml[i] == '<') {
                start = i;
            } else if (i - start > MAX_TEXT) {
                throw new ProblemException(413, "body: an element of XML has more than " + MAX_TEXT + " bytes");
            }
        }
    }

    /** Turns XML into the elements of JSON. */
    private static final class Scan implements Events {

        private enum Kind {
            OBJECT,
            RESOURCE,
            XHTML
        }

        private final FhirElements elements;
        private final Deque<Kind> kinds = new ArrayDeque<>();
        private final Deque<String> names = new ArrayDeque<>();

        Scan(FhirElements elements) {
            this.elements = elements;
        }

        @Override
        public void start(XMLStreamReader reader, int depth) {
            String name = reader.getLocalName();
            boolean isNarrative = depth > 1 && name.equals("div") && XHTML.equals(reader.getNamespaceURI());
            if (kinds.peek() == Kind.XHTML || isNarrative) {
                requireNamespace(XHTML, reader);
                kinds.push(Kind.XHTML);
            } else {
                requireNamespace(FHIR, reader);
                if (depth == 1) {
                    elements.begin("", Place.UNKNOWN);
                }
                if (depth == 1) {
                    startResource(reader, name);
                } else if (Character.isUpperCase(name.charAt(0))) {
                    requireHolder();
                    startResource(reader, name);
                } else {
                    startElement(reader, name);
                }
            }
            names.push(name);
        }

        private void requireHolder() {
            if (!HOLDERS.contains(names.peek())) {
                throw new ProblemException(400, "body: an element of XML holds a resource where FHIR has none");
            }
        }

        private void startResource(XMLStreamReader reader, String name) {
            for (int i = 0; i < reader.getAttributeCount(); i++) {
                requireNamespacedAttribute(reader, i);
            }
            elements.value("resourceType", name, Place.UNKNOWN);
            kinds.push(Kind.RESOURCE);
        }

        private void startElement(XMLStreamReader reader, String name) {
            String value = reader.getAttributeValue("", "value");
            if (value != null) {
                elements.value(name, value, Place.UNKNOWN);
            }
            elements.begin(value == null ? name : "_" + name, Place.UNKNOWN);
            for (int i = 0; i < reader.getAttributeCount(); i++) {
                String attribute = reader.getAttributeLocalName(i);
                if (isNamespaced(reader, i)) {
                    requireNamespacedAttribute(reader, i);
                } else if (!attribute.equals("value")) {
                    elements.value("@" + attribute, reader.getAttributeValue(i), Place.UNKNOWN);
                }
            }
            kinds.push(Kind.OBJECT);
        }

        @Override
        public void end() {
            names.pop();
            if (kinds.pop() == Kind.OBJECT || kinds.isEmpty()) {
                elements.end();
            }
        }

        @Override
        public void text(XMLStreamReader reader) {
            // only XHTML has texts; a server ignores others
        }

        private static boolean isNamespaced(XMLStreamReader reader, int i) {
            String namespace = reader.getAttributeNamespace(i);
            return namespace != null && !namespace.isEmpty();
        }

        /** Such as {@code xsi:schemaLocation}; a server may take another for the attribute of FHIR. */
        private static void requireNamespacedAttribute(XMLStreamReader reader, int i) {
            String name = reader.getAttributeLocalName(i);
            if (!isNamespaced(reader, i) || name.equals("value") || name.equals("id") || name.equals("url")) {
                throw new ProblemException(400, "body: an element of XML has an attribute that FHIR does not know");
            }
        }

        private static void requireNamespace(String namespace, XMLStreamReader reader) {
            if (!namespace.equals(reader.getNamespaceURI())) {
                throw new ProblemException(400, "body: an element of XML is not in the namespace of FHIR or XHTML");
            }
        }
    }
}
