package routes.platform.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.ClassPathResource;

/** Checks the errors of a contract that refers to missing things. */
class AsyncApiTest {

    private static final String MESSAGE = "#/components/messages/prescriptionCreated";
    private static final String SCHEMA = "schemas/medication.prescription.created.json";

    @Test
    void namesARefThatLeadsNowhere() {
        refused(MESSAGE, MESSAGE + "s", "contract/asyncapi.yaml: $ref '" + MESSAGE + "s' leads nowhere");
    }

    @Test
    void namesTheMissingChannelOfAnOperation() {
        refused(
                "#/channels/prescriptionUpdated'",
                "#/channels/updated'",
                "contract/asyncapi.yaml: $ref '#/channels/updated' leads nowhere");
    }

    @Test
    void namesTheMessageWithAMissingSchemaFile() {
        refused(
                SCHEMA,
                "schemas/missing.json",
                "contract/asyncapi.yaml: message medication.prescription.created: schemas/missing.json does not exist");
    }

    @Test
    void namesTheMessageWithoutASchema() {
        refused(
                "$ref: ../../../../" + SCHEMA,
                "type: object",
                "contract/asyncapi.yaml: message medication.prescription.created has no payload.schema.$ref");
    }

    @Test
    void namesTheMissingAvroFile() {
        refused(
                "schemas/patient-events-value.avsc",
                "schemas/missing.avsc",
                "contract/asyncapi.yaml: message patient.event: schemas/missing.avsc does not exist");
    }

    @Test
    void rejectsAnAvroChannelThatIsPublishable() {
        refused(
                "    x-owning-group: patient-view-builder\n",
                "    x-owning-group: patient-view-builder\n    x-publishable: true\n",
                "contract/asyncapi.yaml: channel patient.events is x-publishable, which only JSON can be");
    }

    @Test
    void namesTheTopicThatAPatternMissesAndTheRemedy() throws IOException {
        AsyncApi contract = new AsyncApi(
                new ByteArrayResource(contract("address: medication.commands\n", "address: medication.orders\n")));
        assertThatThrownBy(() -> contract.required("medication.commands", "cqrs"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("medication.commands", "pattern cqrs", "add the channel");
    }

    @Test
    void namesTheTopicThatAPatternNeedsInJson() {
        AsyncApi contract = new AsyncApi(new ClassPathResource("contract/asyncapi.yaml"));
        assertThatThrownBy(() -> contract.required("patient.events", "cqrs"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("patient.events", "Avro", "pattern cqrs needs JSON");
    }

    private static void refused(String text, String mistake, String message) {
        assertThatThrownBy(() -> new AsyncApi(new ByteArrayResource(contract(text, mistake))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith(message);
    }

    private static byte[] contract(String text, String mistake) throws IOException {
        String yaml = new ClassPathResource("contract/asyncapi.yaml").getContentAsString(StandardCharsets.UTF_8);
        assertThat(yaml).contains(text);
        return yaml.replace(text, mistake).getBytes(StandardCharsets.UTF_8);
    }
}
