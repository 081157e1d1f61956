package routes.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import routes.platform.error.MalformedJsonException;
import routes.platform.error.ProblemException;

class JsonTest {

    /** Bytes at the edges of every row in the table of well-formed UTF-8, and some between. */
    private static final int[] BYTES = {
        0x20, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xC3, 0xDF, 0xE0, 0xE1, 0xEC,
        0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF7, 0xF8, 0xFC, 0xFE, 0xFF
    };

    private static final int[] LAST = {0x41, 0x80, 0xBF, 0xC2};

    @Test
    void readsUtf8AndNothingElse() {
        for (int a : BYTES) {
            agrees(a);
            for (int b : BYTES) {
                agrees(a, b);
                for (int c : BYTES) {
                    agrees(a, b, c);
                    for (int d : LAST) {
                        agrees(a, b, c, d);
                    }
                }
            }
        }
    }

    @Test
    void rejectsOtherEncodingsAndTruncatedCharacters() {
        assertThat(isRead("""
                {"a":"b"}""".getBytes(StandardCharsets.UTF_16BE)))
                .isFalse();
        assertThat(isRead("""
                {"a":"b"}""".getBytes(StandardCharsets.UTF_16LE)))
                .isFalse();
        assertThat(isRead(new byte[] {'"', 'a', (byte) 0xC3})).isFalse();
    }

    @Test
    void rejectsADuplicateNameInAnObject() {
        assertThatThrownBy(() -> Json.read(utf8("""
                                {"a":{"id":1,\n"id":2}}""")))
                .isInstanceOf(ProblemException.class)
                .hasMessage("not valid JSON at line 2, column 6");
        assertThat(isRead(utf8("""
                {"a":{"id":1},"id":2}"""))).isTrue();
    }

    @Test
    void rejectsALoneSurrogateInEverySpelling() {
        assertThat(isRead(utf8("""
                {"a":"\\ud83d\\ude00"}"""))).isTrue();
        assertThat(isRead(utf8("""
                {"a":"\\uD83D"}"""))).isFalse();
        assertThat(isRead(utf8("""
                {"\\ude00":1}"""))).isFalse();
    }

    /** Tries a text and a name: Jackson has different code for each. */
    private static void agrees(int... sequence) {
        byte[] text = new byte[sequence.length + 4];
        byte[] name = new byte[sequence.length + 6];
        text[0] = '[';
        text[1] = '"';
        name[0] = '{';
        name[1] = '"';
        for (int i = 0; i < sequence.length; i++) {
            text[i + 2] = (byte) sequence[i];
            name[i + 2] = (byte) sequence[i];
        }
        int end = sequence.length + 2;
        text[end] = '"';
        text[end + 1] = ']';
        name[end] = '"';
        name[end + 1] = ':';
        name[end + 2] = '1';
        name[end + 3] = '}';
        boolean utf8 = isUtf8(text);
        assertThat(isRead(text)).as("text of %s", (Object) sequence).isEqualTo(utf8);
        assertThat(isRead(name)).as("name of %s", (Object) sequence).isEqualTo(utf8);
    }

    private static boolean isUtf8(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static boolean isRead(byte[] bytes) {
        try {
            Json.read(bytes);
            return true;
        } catch (ProblemException e) {
            return false;
        }
    }

    @Test
    void writesASupplementaryCharacterAsFourBytes() {
        byte[] pill = utf8("""
                {"name":"\uD83D\uDC8A"}""");

        assertThat(Json.write(Json.read(pill))).isEqualTo(pill);
    }

    @Test
    void rejectsJsonThatTakesAHundredTimesItsSizeInMemory() {
        byte[] bomb = ("{\"a\":[" + "{},".repeat(200_000) + "{}]}").getBytes(StandardCharsets.UTF_8);

        assertThatThrownBy(() -> Json.read(bomb))
                .isInstanceOf(MalformedJsonException.class)
                .hasMessageContaining("200000 tokens");
    }

    private static byte[] utf8(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }
}
