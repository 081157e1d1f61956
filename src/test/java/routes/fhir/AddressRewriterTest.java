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
import org.junit.jupiter.params.provider.ValueSource;
import routes.fhir.AddressRewriter.Syntax;

class AddressRewriterTest {

    private static final String SERVER = "http://127.0.0.1:8090/fhir";
    private static final String FACADE = "https://broker.example/fhir";

    private final AddressRewriter rewriter = AddressRewriter.ofAnswer(SERVER, FACADE, id -> id + ".sealed");

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
                    http://127.0.0.1:8090/fhir-x                     > http://127.0.0.1:8090/fhir-x
                    no http://127.0.0.1:8090/fhir: try again         > no https://broker.example/fhir: try again
                    “http://127.0.0.1:8090/fhir”                     > “https://broker.example/fhir”
                    "http:\\u002f\\u002F127.0.0.1:8090/fhir"           > "https://broker.example/fhir"
                    "http:\\u002f/127.0.0.1:8091/fhir"               > "http:\\u002f/127.0.0.1:8091/fhir"
                    http%3A//127.0.0.1:8090/fhir?x                   > https%3A%2F%2Fbroker.example%2Ffhir?x
                    %68ttp://127.0.0.1:8090/fhir                     > https%3A%2F%2Fbroker.example%2Ffhir
                    http:&#47;/127.0.0.1:8090/fhir                   > http:&#47;/127.0.0.1:8090/fhir
                    http:%zz                                         > http:%zz
                    http%3                                           > http%3
                    hhttp://127.0.0.1:8090/fhir/Patient              > hhttps://broker.example/fhir/Patient
                    http://127.0.0.1:8090/fhir?_getpages=ab-1&x=1    > https://broker.example/fhir?_getpages=ab-1.sealed&x=1
                    http://other/fhir?_getpages=ab-1                 > http://other/fhir?_getpages=ab-1
                    """)
    void replacesOnlyTheWholeAddress(String sent, String received) {
        assertEquals(received, rewrite(rewriter, sent, Syntax.JSON));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '>',
            textBlock =
                    """
                    http:&#47;&#x2f;127.0.0.1:8090/fhir/Patient     > https://broker.example/fhir/Patient
                    &#104;ttp://127.0.0.1:8090/fhir&quot;           > https://broker.example/fhir&quot;
                    http:&#00000000047;/127.0.0.1:8090/fhir         > http:&#00000000047;/127.0.0.1:8090/fhir
                    http:\\u002f/127.0.0.1:8090/fhir                > http:\\u002f/127.0.0.1:8090/fhir
                    http:&#;/&#x;&#xzz;/&nothing;&#47               > http:&#;/&#x;&#xzz;/&nothing;&#47
                    """)
    void findsTheAddressInTheEscapesOfXml(String sent, String received) {
        assertEquals(received, rewrite(rewriter, sent, Syntax.XML));
    }

    /** Whatever reads the request: the server must not get its own address with something behind it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "A",
                "-x",
                "_",
                "~",
                "9",
                ":9",
                ":",
                "\\u0041",
                "\\u002d",
                "&#65;",
                "&#x41;",
                "&#x0041;",
                "&#00000000000065;",
                "%41",
                "%2D",
                "%2d",
                "%2541",
                "&amp;#65;",
                "\\u0026#65;",
                "\\u00",
                "\\u002541",
                "%",
                "%4",
                "&#65",
                "\\\\u0041",
                "%5Cu0041",
                "%26%2365%3B",
                "%3A8"
            })
    void leavesTheFacadesAddressWhereItMayNotEnd(String behind) {
        AddressRewriter toServer = AddressRewriter.ofRequest(FACADE, SERVER);
        for (Syntax syntax : Syntax.values()) {
            assertEquals(FACADE + behind, rewrite(toServer, FACADE + behind, syntax));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/Patient/1",
                "?x",
                "#x",
                "\"",
                "'",
                " ",
                "<",
                ")",
                ",",
                ";",
                "|",
                "&_count=1",
                "%7C",
                "%2FPatient",
                "%3f",
                "%20",
                "\\/Patient",
                "\\\"",
                "\\u0022",
                "\\u002f",
                "\\n",
                "&quot;",
                "&lt;/a>",
                "&#34;",
                "é",
                "\\u00e9",
                "&#233;",
                "%C3%A9",
                "”"
            })
    void rewritesTheFacadesAddressWhereItEnds(String behind) {
        AddressRewriter toServer = AddressRewriter.ofRequest(FACADE, SERVER);
        AddressRewriter toFacade = AddressRewriter.ofAnswer(SERVER, FACADE, id -> id);
        for (Syntax syntax : Syntax.values()) {
            assertEquals(SERVER + behind, rewrite(toServer, FACADE + behind, syntax));
            assertEquals(FACADE + behind, rewrite(toFacade, SERVER + behind, syntax));
        }
    }

    private static String rewrite(AddressRewriter rewriter, String text, Syntax syntax) {
        byte[] rewritten = rewriter.rewrite(text.getBytes(StandardCharsets.UTF_8), syntax);
        return new String(rewritten, StandardCharsets.UTF_8);
    }

    @Test
    void rewritesAStreamAsItRewritesTheWhole() throws IOException {
        StringBuilder text = new StringBuilder();
        Random random = new Random(7);
        String[] parts = {
            SERVER + "/Patient/1",
            SERVER.replace("/", "\\u002f"),
            SERVER + "?_getpages=0a1b-2c&_count=10",
            "http://127.0.0.1:8090/fhi",
            "é",
            "x",
            "h"
        };
        while (text.length() < 200_000) {
            text.append(parts[random.nextInt(parts.length)]);
            text.append("y".repeat(random.nextInt(200)));
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        for (int most : new int[] {1, 7, 1000, 100_000}) {
            InputStream stream = new RewritingInputStream(slowly(bytes, most), rewriter, Syntax.JSON);
            assertArrayEquals(rewriter.rewrite(bytes, Syntax.JSON), stream.readAllBytes(), "in pieces of " + most);
        }
    }

    @Test
    void keepsTheBytesOfAnythingElse() {
        byte[] bytes = new byte[100_000];
        new Random(11).nextBytes(bytes);
        assertArrayEquals(bytes, rewriter.rewrite(bytes, Syntax.JSON));
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
