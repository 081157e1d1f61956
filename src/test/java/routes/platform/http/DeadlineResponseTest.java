package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.mock.web.MockHttpServletResponse;

class DeadlineResponseTest {

    private static final byte[] LARGE = new byte[1_000_000];

    private final MockHttpServletResponse response = new MockHttpServletResponse();

    @Test
    void endsAResponseThatIsReadTooSlowly() {
        assertThatThrownBy(() -> answer(Duration.ZERO))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("too slowly");
        assertThat(response.getContentAsByteArray()).hasSizeLessThan(LARGE.length);
    }

    @Test
    void writesAWholeResponseThatIsReadInTime() throws IOException {
        answer(Duration.ofMinutes(1));

        assertThat(response.getContentAsByteArray()).isEqualTo(LARGE);
    }

    private void answer(Duration patience) throws IOException {
        new DeadlineResponse(response, patience).getOutputStream().write(LARGE);
    }
}
