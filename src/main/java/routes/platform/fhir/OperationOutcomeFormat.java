package routes.platform.fhir;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import routes.platform.Violation;
import routes.platform.http.ErrorFormat;
import routes.platform.http.FhirPath;

/**
 * Renders the errors of {@code /fhir} as OperationOutcomes: XML where the caller asks for it, else JSON.
 *
 * @see <a href="https://hl7.org/fhir/R4/operationoutcome.html">FHIR R4 OperationOutcome</a>
 */
@Component
class OperationOutcomeFormat implements ErrorFormat {

    private static final String NAMESPACE = "http://hl7.org/fhir";

    /** Codes of https://hl7.org/fhir/R4/valueset-issue-type.html by HTTP status. */
    private static final Map<Integer, String> CODES = Map.ofEntries(
            Map.entry(401, "login"),
            Map.entry(403, "forbidden"),
            Map.entry(404, "not-found"),
            Map.entry(405, "not-supported"),
            Map.entry(408, "timeout"),
            Map.entry(409, "conflict"),
            Map.entry(413, "too-long"),
            Map.entry(415, "not-supported"),
            Map.entry(429, "throttled"),
            Map.entry(503, "transient"),
            Map.entry(504, "timeout"));

    private final ObjectMapper mapper;

    OperationOutcomeFormat(ObjectMapper mapper) {
        this.mapper = mapper;
    }

    @Override
    public boolean appliesTo(String path) {
        return FhirPath.isFhir(path);
    }

    @Override
    public Rendered render(HttpServletRequest request, int status, String error, List<Violation> errors) {
        String code = CODES.getOrDefault(status, status < 500 ? "invalid" : "exception");
        List<String> diagnostics = errors.isEmpty()
                ? List.of(error)
                : errors.stream().map(Violation::toString).toList();
        return wantsXml(request)
                ? new Rendered("application/fhir+xml;charset=UTF-8", xml(code, diagnostics))
                : new Rendered("application/fhir+json;charset=UTF-8", json(code, diagnostics));
    }

    /** The parameter {@code _format} comes before the header, as FHIR says. */
    private static boolean wantsXml(HttpServletRequest request) {
        String query = request.getQueryString() == null ? "" : request.getQueryString();
        String asked = Stream.of(query.split("&"))
                .filter(parameter -> parameter.startsWith("_format="))
                .findFirst()
                .orElseGet(() -> first(request.getHeader(HttpHeaders.ACCEPT)));
        return asked.toLowerCase(Locale.ROOT).contains("xml");
    }

    private static String first(String accept) {
        return accept == null ? "" : accept.split(",", 2)[0];
    }

    private byte[] json(String code, List<String> diagnostics) {
        ObjectNode outcome = mapper.createObjectNode().put("resourceType", "OperationOutcome");
        ArrayNode issues = outcome.putArray("issue");
        diagnostics.forEach(text ->
                issues.addObject().put("severity", "error").put("code", code).put("diagnostics", text));
        try {
            return mapper.writeValueAsBytes(outcome);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an outcome is always JSON", e);
        }
    }

    private static byte[] xml(String code, List<String> diagnostics) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            XMLStreamWriter xml = XMLOutputFactory.newDefaultFactory().createXMLStreamWriter(out, "UTF-8");
            xml.writeStartElement("OperationOutcome");
            xml.writeDefaultNamespace(NAMESPACE);
            for (String text : diagnostics) {
                xml.writeStartElement("issue");
                value(xml, "severity", "error");
                value(xml, "code", code);
                value(xml, "diagnostics", text);
                xml.writeEndElement();
            }
            xml.writeEndElement();
            xml.close();
        } catch (XMLStreamException e) {
            throw new IllegalStateException("an outcome is always XML", e);
        }
        return out.toByteArray();
    }

    private static void value(XMLStreamWriter xml, String name, String value) throws XMLStreamException {
        xml.writeEmptyElement(name);
        xml.writeAttribute("value", value);
    }
}
