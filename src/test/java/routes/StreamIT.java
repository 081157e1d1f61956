package routes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import sandbox.Servers;

/** Publishes a stream of any length with a small heap. */
@Tag("faults")
class StreamIT {

    private static final String TOPIC = "medication.prescription.created";
    private static final long GIGABYTE = 1L << 30;

    @Test
    void publishesAGigabyteOfLinesWithAHeapOf256Megabytes() throws Exception {
        Map<String, String> environment = RunningImage.environment(Servers.shared());
        environment.put("JDK_JAVA_OPTIONS", "-Xmx256m -XX:TieredStopAtLevel=4");
        Lines lines = new Lines(GIGABYTE);
        try (RunningImage runtime =
                new Image(Path.of("target", "stream-it")).run(environment).awaitReady()) {
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            runtime.request("/api/topics/" + TOPIC + "/events")
                                    .timeout(Duration.ofMinutes(15))
                                    .header("Content-Type", "application/x-ndjson")
                                    .POST(HttpRequest.BodyPublishers.ofInputStream(() -> lines))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());

            System.out.println("1 GiB in " + lines.number + " lines: " + answer.body());
            assertThat(answer.statusCode()).isEqualTo(202);
            assertThat(answer.body()).isEqualTo("{\"accepted\":" + lines.number + ",\"rejected\":[]}");
            assertThat(runtime.management("/observe/metrics").body())
                    .containsPattern("jvm_memory_max_bytes\\{.*area=\"heap\".*Old Gen.*\\} 2\\.\\d+E8");
        } finally {
            empty();
        }
    }

    /** Empties the topic, so that no other test consumes the gigabyte. */
    private static void empty() throws Exception {
        try (Admin admin = Admin.create(
                Map.of("bootstrap.servers", Servers.shared().properties().get("camel.component.kafka.brokers")))) {
            int partitions = admin.describeTopics(List.of(TOPIC))
                    .allTopicNames()
                    .get()
                    .get(TOPIC)
                    .partitions()
                    .size();
            Map<TopicPartition, RecordsToDelete> all = IntStream.range(0, partitions)
                    .mapToObj(partition -> new TopicPartition(TOPIC, partition))
                    .collect(Collectors.toMap(p -> p, p -> RecordsToDelete.beforeOffset(end(admin, p))));
            admin.deleteRecords(all).all().get();
        }
    }

    private static long end(Admin admin, TopicPartition partition) {
        try {
            return admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                    .partitionResult(partition)
                    .get()
                    .offset();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Generates prescriptions of about a kilobyte each while the client reads them. */
    private static final class Lines extends InputStream {

        private static final String PADDING = "x".repeat(900);

        private final long length;
        private long made;
        private int number;
        private byte[] line = {};
        private int position;

        Lines(long length) {
            this.length = length;
        }

        @Override
        public int read(byte[] target, int offset, int count) {
            if (position == line.length && !next()) {
                return -1;
            }
            int read = Math.min(count, line.length - position);
            System.arraycopy(line, position, target, offset, read);
            position += read;
            return read;
        }

        @Override
        public int read() throws IOException {
            throw new IOException("is read in blocks");
        }

        private boolean next() {
            if (made >= length) {
                return false;
            }
            number++;
            line =
                    """
                    {"id":"stream-%d","patientId":"stream","medication":{"name":"n"},"dosageInstruction":"%s"}
                    """
                            .formatted(number % 5000, PADDING)
                            .getBytes(StandardCharsets.UTF_8);
            made += line.length;
            position = 0;
            return true;
        }
    }
}
