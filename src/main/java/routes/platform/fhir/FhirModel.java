package routes.platform.fhir;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.PerformanceOptionsEnum;
import ca.uhn.fhir.parser.LenientErrorHandler;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/**
 * Has the model of FHIR R4 that all parsers and clients share. It takes a second to load, so it is loaded after the
 * start, by a thread of its own. Who needs it earlier waits for it.
 */
@Component
public class FhirModel {

    /** Null until it is loaded. */
    private FhirContext r4;

    @EventListener(ApplicationReadyEvent.class)
    void load() {
        Thread loader = new Thread(this::r4, "fhir-model");
        loader.setDaemon(true);
        loader.start();
    }

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
