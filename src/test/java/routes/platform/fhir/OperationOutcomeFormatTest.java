package routes.platform.fhir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.mock.web.MockHttpServletRequest;
import routes.platform.Violation;
import routes.platform.http.ErrorFormat;

class OperationOutcomeFormatTest {

    private final OperationOutcomeFormat format = new OperationOutcomeFormat(new ObjectMapper());

    @ParameterizedTest
    @CsvSource({
        "/fhir, true",
        "/fhir/Patient, true",
        "/fhirs, false",
        "/api/fhir-projections, false",
        "/api/fhir/x, false"
    })
    void appliesToTheDoorAlone(String path, boolean applies) {
        assertEquals(applies, format.appliesTo(path));
    }

    @Test
    void rendersAnIssueForEachViolation() {
        assertEquals(
                """
                {"resourceType":"OperationOutcome","issue":[\
                {"severity":"error","code":"invalid","diagnostics":"header If-Match: is given twice"},\
                {"severity":"error","code":"invalid","diagnostics":"body: is not JSON"}]}""",
                text(format.render(
                        new MockHttpServletRequest(),
                        400,
                        "unused",
                        List.of(
                                new Violation("header If-Match", "is given twice"),
                                new Violation("body", "is not JSON")))));
    }

    @ParameterizedTest
    @CsvSource({"401, login", "403, forbidden", "404, not-found", "418, invalid", "500, exception", "503, transient"})
    void mapsTheStatusToAnIssueType(int status, String code) {
        assertTrue(text(render(new MockHttpServletRequest(), status)).contains("\"code\":\"" + code + "\""));
    }

    @Test
    void rendersXmlForCallersOfXml() {
        MockHttpServletRequest request = new MockHttpServletRequest();
        request.addHeader("Accept", "application/fhir+xml;q=1.0, application/fhir+json");
        ErrorFormat.Rendered rendered = render(request, 404);
        assertEquals("application/fhir+xml;charset=UTF-8", rendered.mediaType());
        assertEquals(
                """
                <OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="not-found"/>\
                <diagnostics value="a &lt; b"/></issue></OperationOutcome>""",
                text(rendered));
    }

    @Test
    void prefersTheFormatOfTheQuery() {
        MockHttpServletRequest request = new MockHttpServletRequest();
        request.addHeader("Accept", "application/fhir+xml");
        request.setQueryString("name=a&_format=json");
        assertEquals("application/fhir+json;charset=UTF-8", render(request, 404).mediaType());
    }

    private ErrorFormat.Rendered render(MockHttpServletRequest request, int status) {
        return format.render(request, status, "a < b", List.of());
    }

    private static String text(ErrorFormat.Rendered rendered) {
        return new String(rendered.body(), StandardCharsets.UTF_8);
    }
}
