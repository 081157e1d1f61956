package routes.platform.avro;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Explains in one sentence a start that failed because of its schemas, without a stack trace. */
final class SchemaProvisioningFailureAnalyzer extends AbstractFailureAnalyzer<SchemaProvisioningException> {

    @Override
    protected FailureAnalysis analyze(Throwable root, SchemaProvisioningException failure) {
        return new FailureAnalysis(
                "Schema registry: " + failure.getMessage(),
                "Start the registry, correct event-broker.schema-registry.*, or see docs/change-a-schema.md.",
                failure);
    }
}
