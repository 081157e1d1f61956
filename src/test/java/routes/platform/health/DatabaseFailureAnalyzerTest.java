package routes.platform.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ConnectException;
import java.sql.SQLException;
import org.flywaydb.core.internal.exception.FlywaySqlException;
import org.junit.jupiter.api.Test;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.mock.env.MockEnvironment;

class DatabaseFailureAnalyzerTest {

    private final DatabaseFailureAnalyzer analyzer = new DatabaseFailureAnalyzer(
            new MockEnvironment().withProperty("spring.datasource.url", "jdbc:postgresql://db/x"));

    @Test
    void namesTheDatabaseThatDoesNotAnswer() {
        SQLException refused = new SQLException("no connection", new ConnectException("Connection refused"));

        FailureAnalysis analysis =
                analyzer.analyze(new IllegalStateException(new FlywaySqlException("Unable to obtain one", refused)));

        assertThat(analysis.getDescription())
                .isEqualTo("The database of spring.datasource.url does not answer: jdbc:postgresql://db/x"
                        + " (Connection refused)");
    }

    @Test
    void ignoresOtherFailures() {
        assertThat(analyzer.analyze(new IllegalStateException("something else")))
                .isNull();
    }
}
