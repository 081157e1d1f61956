package routes.platform.database;

import java.sql.Statement;
import java.time.Duration;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** For the few statements that take as long as a table is large. */
@Component
public class LongStatements {

    private static final Duration LONGEST = Duration.ofHours(1);

    private final JdbcTemplate jdbc;

    LongStatements(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    /** From now on until the transaction ends, a statement of it may take an hour. The pool puts its own limit back afterwards. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void allow() {
        jdbc.execute((ConnectionCallback<Void>) connection -> {
            connection.setNetworkTimeout(Runnable::run, Math.toIntExact(LONGEST.toMillis()));
            try (Statement limit = connection.createStatement()) {
                limit.execute("set local statement_timeout = " + LONGEST.toMillis());
            }
            return null;
        });
    }
}
