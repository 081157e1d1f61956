package routes.platform.avro;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.springframework.boot.diagnostics.FailureAnalysis;

class SchemaProvisioningFailureAnalyzerTest {

    @Test
    void describesTheProblemAndTheAction() {
        SchemaProvisioningException failure =
                new SchemaProvisioningException("the schema of subject s is not registered");

        FailureAnalysis analysis = new SchemaProvisioningFailureAnalyzer().analyze(new IllegalStateException(failure));

        assertThat(analysis.getDescription()).isEqualTo("Schema registry: the schema of subject s is not registered");
        assertThat(analysis.getAction()).contains("event-broker.schema-registry.*", "docs/change-a-schema.md");
    }
}
