package routes.platform.fhir;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.PerformanceOptionsEnum;
import ca.uhn.fhir.parser.LenientErrorHandler;
import org.springframework.stereotype.Component;

/**
 * Has the model of FHIR R4 that all parsers and clients share. It takes half a second to load, so {@link FhirClients}
 * loads it after the start.
 */
@Component
public class FhirModel {

    /** Null until it is loaded. */
    private FhirContext r4;

    /** Waits until the model is loaded. */
    public synchronized FhirContext r4() {
        if (r4 == null) {
            FhirContext model = FhirContext.forR4();
            model.setPerformanceOptions(PerformanceOptionsEnum.DEFERRED_MODEL_SCANNING);
            // its messages repeat values
            model.setParserErrorHandler(new LenientErrorHandler(false));
            // loads the names of all types
            model.getResourceDefinition("Bundle");
            r4 = model;
        }
        return r4;
    }
}
