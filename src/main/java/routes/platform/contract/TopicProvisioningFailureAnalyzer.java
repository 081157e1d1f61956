package routes.platform.contract;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Reports a start that failed without its topics: names the broker, without a stack trace. */
final class TopicProvisioningFailureAnalyzer extends AbstractFailureAnalyzer<TopicProvisioningException> {

    @Override
    protected FailureAnalysis analyze(Throwable root, TopicProvisioningException failure) {
        return new FailureAnalysis(
                "Kafka: " + failure.getMessage(), "Start the broker, or correct camel.component.kafka.*.", failure);
    }
}
