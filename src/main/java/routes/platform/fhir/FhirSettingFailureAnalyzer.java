package routes.platform.fhir;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Reports a start that failed for a setting of FHIR servers: names the property, without a stack trace. It shows no
 * value, as Boot's own report would: an address or a token may hold a secret.
 */
final class FhirSettingFailureAnalyzer
        extends AbstractFailureAnalyzer<FhirSettingFailureAnalyzer.FhirSettingException> {

    /** A setting that cannot work. */
    static final class FhirSettingException extends RuntimeException {

        FhirSettingException(String property, String reason) {
            super("%s: %s".formatted(property, reason));
        }
    }

    @Override
    protected FailureAnalysis analyze(Throwable root, FhirSettingException failure) {
        return new FailureAnalysis("Invalid property " + failure.getMessage(), "Correct this property.", failure);
    }
}
