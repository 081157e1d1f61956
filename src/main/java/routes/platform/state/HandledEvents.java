package routes.platform.state;

import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Which consumer group has handled which event, so that an event which comes twice has one effect. */
@Component
public class HandledEvents {

    private final JdbcClient jdbc;

    HandledEvents(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * Notes that the group handles the event now. Belongs into the transaction of the effect: both stay or neither. A second
     * transaction with the same event waits here until the first has ended.
     *
     * @return false when the group has handled it before: do nothing
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public boolean isFirst(String group, String tenant, String eventId) {
        return jdbc.sql(
                                """
                                insert into handled_event (consumer_group, tenant, event_id) values (?, ?, ?)
                                on conflict do nothing""")
                        .params(group, tenant, UUID.fromString(eventId))
                        .update()
                == 1;
    }
}
