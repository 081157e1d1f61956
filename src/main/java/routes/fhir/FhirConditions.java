package routes.fhir;

import java.util.List;
import org.springframework.stereotype.Component;
import routes.fhir.FhirQuery.Parameter;
import routes.platform.error.ProblemException;

/** Reads the condition of a conditional create. */
@Component
class FhirConditions {

    /**
     * Returns the parameters; null without a condition.
     *
     * @param condition the query alone, or after the type, or after the address of the facade; or null
     * @param type of the resource
     * @throws ProblemException 400 when it searches for another type, or cannot be read
     */
    List<Parameter> parse(String condition, String type, String publicUrl, String place) {
        if (condition == null) {
            return null;
        }
        String relative = FhirUrls.relative(condition, publicUrl);
        int mark = relative.indexOf('?');
        if (mark > 0 && !relative.substring(0, mark).equals(type)) {
            throw new ProblemException(400, place + ": must search for the type of the resource");
        }
        return FhirQuery.decode(relative.substring(mark + 1), place);
    }
}
