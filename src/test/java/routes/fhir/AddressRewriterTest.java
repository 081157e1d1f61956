package routes.fhir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressRewriterTest {

    private static final String SERVER = "http://127.0.0.1:8090/fhir";
    private static final String FACADE = "https://broker.example/fhir";

    private final AddressRewriter rewriter = new AddressRewriter(SERVER, FACADE, id -> id + ".sealed");

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '>',
            textBlock =
                    """
                    "http://127.0.0.1:8090/fhir/Patient/1"           > "https://broker.example/fhir/Patient/1"
                    "http://127.0.0.1:8090/fhir"                     > "https://broker.example/fhir"
                    http://127.0.0.1:8090/fhir?name=a                > https://broker.example/fhir?name=a
                    see http://127.0.0.1:8090/fhir.                  > see https://broker.example/fhir.
                    http%3A%2F%2F127.0.0.1%3A8090%2Ffhir%2FPatient   > https%3A%2F%2Fbroker.example%2Ffhir%2FPatient
                    http%3a%2f%2f127.0.0.1%3a8090%2ffhir%2fPatient   > https%3a%2f%2fbroker.example%2ffhir%2fPatient
                    "http:\\/\\/127.0.0.1:8090\\/fhir\\/Patient"         > "https:\\/\\/broker.example\\/fhir\\/Patient"
                    http://127.0.0.1:8090/fhir2/Patient              > http://127.0.0.1:8090/fhir2/Patient
                    http://127.0.0.1:8090/                           > http://127.0.0.1:8090/
                    http://127.0.0.1:80901/fhir/Patient              > http://127.0.0.1:80901/fhir/Patient
                    hhttp://127.0.0.1:8090/fhir/Patient              > hhttps://broker.example/fhir/Patient
                    http://127.0.0.1:8090/fhir?_getpages=ab-1&x=1    > https://broker.example/fhir?_getpages=ab-1.sealed&x=1
                    http://other/fhir?_getpages=ab-1                 > http://other/fhir?_getpages=ab-1
                    """)
    void replacesOnlyTheWholeAddress(String sent, String received) {
        assertEquals(received, rewriter.rewrite(sent));
    }

    @Test
    void rewritesAStreamAsItRewritesTheWhole() throws IOException {
        StringBuilder text = new StringBuilder();
        Random random = new Random(7);
        String[] parts = {
            SERVER + "/Patient/1", SERVER + "?_getpages=0a1b-2c&_count=10", "http://127.0.0.1:8090/fhi", "é", "x", "h"
        };
        while (text.length() < 200_000) {
            text.append(parts[random.nextInt(parts.length)]);
            text.append("y".repeat(random.nextInt(200)));
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        for (int most : new int[] {1, 7, 1000, 100_000}) {
            InputStream stream = new RewritingInputStream(slowly(bytes, most), rewriter);
            assertArrayEquals(rewriter.rewrite(bytes), stream.readAllBytes(), "in pieces of " + most);
        }
    }

    @Test
    void keepsTheBytesOfAnythingElse() {
        byte[] bytes = new byte[100_000];
        new Random(11).nextBytes(bytes);
        assertArrayEquals(bytes, rewriter.rewrite(bytes));
    }

    private static InputStream slowly(byte[] bytes, int most) {
        return new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                return super.read(target, offset, Math.min(length, most));
            }
        };
    }
}
