package routes.platform.http;

import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import routes.platform.Violation;

/** Renders the errors of paths whose callers expect another form than problem+json. */
public interface ErrorFormat {

    /**
     * An error as the caller gets it.
     *
     * @param mediaType of the body
     * @param body UTF-8
     */
    record Rendered(String mediaType, byte[] body) {}

    /** Whether it renders the errors of a path, such as {@code /fhir/Patient}. */
    boolean appliesTo(String path);

    /**
     * Renders an error.
     *
     * @param request tells what the caller accepts
     * @param status of the answer
     * @param error one line that any caller may see
     * @param errors all violations by place; empty where places are unknown
     */
    Rendered render(HttpServletRequest request, int status, String error, List<Violation> errors);
}
