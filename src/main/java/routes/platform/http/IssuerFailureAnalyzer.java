package routes.platform.http;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Presents a start that ended because it was not said whose tokens are good, in a sentence that names the property, without a stack trace. */
final class IssuerFailureAnalyzer extends AbstractFailureAnalyzer<IssuerFailureAnalyzer.IssuerException> {

    /** Nobody could call, so the runtime does not start. */
    static final class IssuerException extends RuntimeException {

        IssuerException(String message) {
            super(message);
        }
    }

    @Override
    protected FailureAnalysis analyze(Throwable root, IssuerException failure) {
        return new FailureAnalysis(
                "Token issuer: " + failure.getMessage(),
                "Say which issuer's tokens are good: spring.security.oauth2.resourceserver.jwt.issuer-uri, what iss is in"
                        + " them, and .jwk-set-uri, where its keys are.",
                failure);
    }
}
