package routes.platform.database;

import java.sql.Statement;
import java.time.Duration;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Raises the time limit for the few statements that read a whole table. */
@Component
public class LongStatements {

    private static final Duration LONGEST = Duration.ofHours(1);

    private final JdbcTemplate jdbc;

    LongStatements(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    /** Allows an hour for each statement until the transaction ends. Then the pool restores its own limit. */
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
