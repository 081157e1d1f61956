package routes.platform.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import routes.platform.error.ProblemException;

class BoundedLineReaderTest {

    @Test
    void readsLinesWithoutTheirEnds() throws IOException {
        BoundedLineReader lines = lines("a\n\n \t\r\nb");

        assertThat(next(lines)).isEqualTo("a");
        assertThat(next(lines)).isEmpty();
        assertThat(next(lines)).isEmpty();
        assertThat(lines.isAtEnd()).isFalse();
        assertThat(next(lines)).isEqualTo("b");
        assertThat(lines.isAtEnd()).isTrue();
        assertThat(lines.number()).isEqualTo(4);
    }

    @Test
    void skipsALineThatIsTooLong() throws IOException {
        BoundedLineReader lines = lines("12345\n123456\n1");

        assertThat(next(lines)).isEqualTo("12345");
        assertThatThrownBy(lines::next)
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("longer than 5 bytes");
        assertThat(lines.number()).isEqualTo(2);
        assertThat(next(lines)).isEqualTo("1");
    }

    private static BoundedLineReader lines(String text) {
        return new BoundedLineReader(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), 5);
    }

    private static String next(BoundedLineReader lines) throws IOException {
        return new String(lines.next(), StandardCharsets.UTF_8);
    }
}
