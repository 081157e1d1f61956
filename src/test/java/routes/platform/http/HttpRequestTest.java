package routes.platform.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HttpRequestTest {

    @Test
    void isTheSameInEverySpellingOfItsId() {
        assertThat(digest("/api/prescriptions/rx:1")).isEqualTo(digest("/api/prescriptions/rx%3A1"));
    }

    @Test
    void differsWithAnotherId() {
        assertThat(digest("/api/prescriptions/a/b")).isNotEqualTo(digest("/api/prescriptions/a%2Fb"));
        assertThat(digest("/api/prescriptions/a+b")).isNotEqualTo(digest("/api/prescriptions/a%20b"));
    }

    private static byte[] digest(String path) {
        return new HttpRequest(null, "c", "r", Optional.of("key"), "PUT", path, Map.of(), Map.of(), "")
                .digest()
                .digest();
    }
}
