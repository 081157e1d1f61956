package routes.fhir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** Reads a resource in XML, without a document type and without external entities. */
final class XmlCursor implements FhirCursor {

    private final XMLStreamReader in;

    /** The number of elements around the place, with its own. */
    private int depth;

    private XmlCursor(XMLStreamReader in) {
        this.in = in;
    }

    /** No thread shares it: StAX does not promise that threads may. */
    private static XMLInputFactory newFactory() {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setXMLResolver((publicId, systemId, base, namespace) -> {
            throw new XMLStreamException("an external entity");
        });
        return factory;
    }

    /**
     * Reads the whole text.
     *
     * @throws IOException when it is malformed
     */
    static void read(byte[] text, Reading reading) throws IOException {
        try {
            XMLStreamReader in = newFactory().createXMLStreamReader(new ByteArrayInputStream(text));
            XmlCursor whole = new XmlCursor(in);
            reading.read(whole);
            while (whole.next()) {
                // to the end, or half a text would look whole
            }
        } catch (XMLStreamException e) {
            throw malformed();
        }
    }

    /** Its message would repeat the text. */
    private static IOException malformed() {
        return new IOException("malformed XML");
    }

    @Override
    public void children(Visitor visitor) throws IOException {
        int level = depth;
        while (next() && depth >= level) {
            if (in.isStartElement()) {
                int child = depth;
                visitor.visit(in.getLocalName());
                while (depth >= child && next()) {
                    // skips what the visitor has not read
                }
            }
        }
    }

    /** The element of the type is around those of the resource. */
    @Override
    public void resource(Visitor visitor) throws IOException {
        children(type -> children(visitor));
    }

    @Override
    public String value() {
        return in.isStartElement() ? in.getAttributeValue(null, "value") : null;
    }

    private boolean next() throws IOException {
        try {
            if (!in.hasNext()) {
                return false;
            }
            int event = in.next();
            if (event == XMLStreamConstants.START_ELEMENT) {
                depth++;
            } else if (event == XMLStreamConstants.END_ELEMENT) {
                depth--;
            }
            return true;
        } catch (XMLStreamException e) {
            throw malformed();
        }
    }
}
