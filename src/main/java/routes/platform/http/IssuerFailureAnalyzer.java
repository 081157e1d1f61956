package routes.platform.http;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Reports a start that failed for a missing token issuer: names the property, without a stack trace. */
final class IssuerFailureAnalyzer extends AbstractFailureAnalyzer<IssuerFailureAnalyzer.IssuerException> {

    /** The token issuer is not configured, so no caller could get access. */
    static final class IssuerException extends RuntimeException {

        IssuerException(String message) {
            super(message);
        }
    }

    @Override
    protected FailureAnalysis analyze(Throwable root, IssuerException failure) {
        return new FailureAnalysis(
                "Token issuer: " + failure.getMessage(),
                "Set the issuer of the tokens: spring.security.oauth2.resourceserver.jwt.issuer-uri, the iss of its"
                        + " tokens, and .jwk-set-uri, the address of its keys.",
                failure);
    }
}
