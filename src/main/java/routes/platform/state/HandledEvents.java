package routes.platform.state;

import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.error.ProblemException;

/** Remembers which consumer group has handled which event, so that a duplicate has no second effect. */
@Component
public class HandledEvents {

    private final JdbcClient jdbc;

    HandledEvents(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * Marks the event as handled by the group, in the transaction of its effect. A second transaction with the same
     * event waits here until the first ends.
     *
     * @param subject the entity that the event is about, such as the id of a prescription
     * @return false for a duplicate: do nothing
     * @throws ProblemException 409 when an event about another subject has the same id; if it counted as a duplicate,
     *     it would be lost
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public boolean markHandled(String group, String tenant, String eventId, String subject) {
        UUID id = UUID.fromString(eventId);
        int inserted = jdbc.sql(
                        """
                        insert into handled_event (consumer_group, tenant, event_id, subject) values (?, ?, ?, ?)
                        on conflict do nothing""")
                .params(group, tenant, id, subject)
                .update();
        if (inserted == 0) {
            boolean otherSubject = jdbc.sql(
                                    """
                            select count(*) from handled_event
                            where consumer_group = ? and tenant = ? and event_id = ? and subject <> ?""")
                            .params(group, tenant, id, subject)
                            .query(Long.class)
                            .single()
                    > 0;
            if (otherSubject) {
                throw new ProblemException(409, "/metadata/eventId: belongs to another event");
            }
        }
        return inserted == 1;
    }
}
