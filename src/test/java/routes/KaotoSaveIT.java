package routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Saves each route file as the visual editor does, {@code src/test/node/kaoto-save.js}, and expects no difference: then
 * a change in the editor is a small diff. Without Node the test is skipped.
 */
class KaotoSaveIT {

    private static final String COMMAND =
            "./mvnw verify -Dtest=None -Dsurefire.failIfNoSpecifiedTests=false -Dit.test=KaotoSaveIT -Dwrite";

    @BeforeAll
    static void installNode() {
        NodeClients.install();
    }

    @Test
    void leavesEveryRouteFileAsItIs() throws IOException {
        List<Path> files = Stream.of(RouteYaml.files(), RouteYaml.testFiles())
                .flatMap(List::stream)
                .toList();

        List<JsonNode> saves = NodeClients.run(
                        "kaoto-save.js",
                        files.stream()
                                .map(file -> file.toAbsolutePath().toString())
                                .toList())
                .lines();

        assertThat(saves).hasSameSizeAs(files);
        for (JsonNode save : saves) {
            Path file = Path.of(save.path("file").asText());
            if (System.getProperty("write") != null) {
                Files.writeString(file, save.path("saved").asText());
                continue;
            }
            assertThat(RouteYaml.read(save.path("saved").asText()))
                    .as("steps of %s", file)
                    .isEqualTo(RouteYaml.read(Files.readString(file)));
            assertThat(file)
                    .as("%s is not as Kaoto saves it; bring it into that form with: %s", file, COMMAND)
                    .hasContent(save.path("saved").asText());
        }
    }
}
