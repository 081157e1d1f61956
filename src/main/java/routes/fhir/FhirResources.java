package routes.fhir;

import java.util.BitSet;
import java.util.function.Consumer;
import org.springframework.stereotype.Component;
import routes.platform.error.ProblemException;

/** Reads resources and bundles, in JSON and in XML. */
@Component
class FhirResources {

    private final JsonElements json;
    private final XmlElements xml;
    private final ConditionalReferences references;

    FhirResources(JsonElements json, XmlElements xml, ConditionalReferences references) {
        this.json = json;
        this.xml = xml;
        this.references = references;
    }

    /** @throws ProblemException 400 when it is no resource, 413 beyond the limits */
    FhirContent read(FhirFormat format, byte[] body) {
        FhirResourceReader reader = FhirResourceReader.ofResource(references);
        read(format, body, reader);
        FhirBodyPart resource = reader.root();
        return new FhirContent(
                FhirContent.Kind.RESOURCE, type(resource), resource.text("resource.id"), resource.needs());
    }

    /**
     * Returns the type of the bundle, such as {@code transaction}, or null.
     *
     * @param withData the numbers of the entries whose element {@code data} matters
     * @param entries receives each entry
     * @throws ProblemException 400 when it is no bundle, 413 beyond the limits
     */
    String readBundle(FhirFormat format, byte[] body, BitSet withData, Consumer<FhirBodyPart> entries) {
        FhirResourceReader reader = FhirResourceReader.ofBundle(references, withData, entries);
        read(format, body, reader);
        if (!"Bundle".equals(reader.root().text("resourceType"))) {
            throw new ProblemException(400, "body: must be a Bundle");
        }
        return reader.root().text("type");
    }

    /** The type of an entry's resource. */
    static String type(FhirBodyPart part) {
        String type = part.text("resource.resourceType");
        if (type == null) {
            throw new ProblemException(400, part.place() + ": the resource has no resourceType");
        }
        return type;
    }

    private void read(FhirFormat format, byte[] body, FhirElements elements) {
        switch (format) {
            case JSON -> json.readObject(body, elements);
            case XML -> xml.readResource(body, elements);
            default -> throw new ProblemException(415, "the body must be a resource in JSON or XML");
        }
    }
}
