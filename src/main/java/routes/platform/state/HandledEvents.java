package routes.platform.state;

import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import routes.platform.error.ProblemException;

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
     * @param subject what the event is about, such as the id of a prescription
     * @return false when the group has handled it before: do nothing
     * @throws ProblemException 409 when the id is that of an event about something else, which would be lost as a repeat
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public boolean markHandled(String group, String tenant, String eventId, String subject) {
        UUID id = UUID.fromString(eventId);
        int noted = jdbc.sql(
                        """
                        insert into handled_event (consumer_group, tenant, event_id, subject) values (?, ?, ?, ?)
                        on conflict do nothing""")
                .params(group, tenant, id, subject)
                .update();
        if (noted == 0) {
            boolean another = jdbc.sql(
                                    """
                            select count(*) from handled_event
                            where consumer_group = ? and tenant = ? and event_id = ? and subject <> ?""")
                            .params(group, tenant, id, subject)
                            .query(Long.class)
                            .single()
                    > 0;
            if (another) {
                throw new ProblemException(409, "/metadata/eventId: is that of another event");
            }
        }
        return noted == 1;
    }
}
