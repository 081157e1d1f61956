package routes.platform.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import routes.RuntimeIT;

/** The runtime uses our consumer. Under another bean name, Camel would silently use its own. */
class KafkaComponentIT extends RuntimeIT {

    @Autowired
    private CamelContext camel;

    @Test
    void replacesAndIsConfiguredLikeTheStockComponent() {
        KafkaComponent kafka = camel.getComponent("kafka", KafkaComponent.class);

        assertThat(kafka).isInstanceOf(PipelinedKafkaComponent.class);
        assertThat(kafka.getConfiguration().getBrokers()).isEqualTo(brokers());
        assertThat(kafka.getConfiguration().getHeaderFilterStrategy()).isInstanceOf(RecordHeaderAllowList.class);
        assertThat(kafka.getConfiguration().getIsolationLevel()).isEqualTo("read_committed");
        assertThat(kafka.getConfiguration().getPartitionAssignor()).endsWith(".CooperativeStickyAssignor");
        assertThat(camel.getRoute("pubsub-consume-prescriptions").getConsumer()).isInstanceOf(PipelinedConsumer.class);
    }

    @Test
    void appearsInMetricsAndHealth() {
        assertThat(management("/observe/metrics").body())
                .contains("event_broker_consumer_lag{")
                .contains("event_broker_consumer_oldest_seconds{")
                .contains("group=\"activity-log\"");
        assertThat(management("/observe/metrics").body())
                .contains("event_broker_consumer_records_lost_total{")
                .contains("event_broker_consumer_in_flight_bytes{");
        assertThat(management("/observe/health").body()).contains("\"consumers\"");
        assertThat(management("/observe/health/ready").body()).doesNotContain("\"consumers\"");
    }
}
