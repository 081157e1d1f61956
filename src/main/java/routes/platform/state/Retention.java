package routes.platform.state;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Purges what grows. Several instances may do so at once: deleting twice deletes once. */
@Component
class Retention {

    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);

    private final JdbcClient jdbc;
    private final List<RetentionRule> rules;

    Retention(JdbcClient jdbc, List<RetentionRule> rules) {
        this.jdbc = jdbc;
        this.rules = rules;
    }

    @Scheduled(
            initialDelayString = "${event-broker.retention.interval}",
            fixedDelayString = "${event-broker.retention.interval}")
    void purge() {
        for (RetentionRule rule : rules) {
            OffsetDateTime limit = Instant.now().minus(rule.keep()).atOffset(ZoneOffset.UTC);
            int rows = jdbc.sql("delete from " + rule.table() + " where " + rule.column() + " < ?")
                    .param(limit)
                    .update();
            LOG.info("purged {} rows of {} older than {}", rows, rule.table(), rule.keep());
        }
    }
}
