package routes.platform.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import routes.RuntimeIT;

class RetentionIT extends RuntimeIT {

    @Autowired
    private Retention retention;

    @Test
    void purgesWhatIsOlderThanItsRetentionAndNothingElse() {
        String group = "retention-" + UUID.randomUUID();
        handled(group, 91);
        handled(group, 89);
        key(group + "-8", 8);
        key(group + "-6", 6);
        activity(group, 91);
        activity(group, 89);
        sent(group, 8);
        sent(group, 6);
        sent(group, null);
        letter(group, 91);
        letter(group, 89);
        rebuild(group, 91);
        rebuild(group, 89);

        retention.purge();

        assertThat(count("handled_event where consumer_group = '" + group + "'"))
                .isEqualTo(1);
        assertThat(count("idempotency_key where key like '" + group + "%'")).isEqualTo(1);
        assertThat(count("activity where correlation_id = '" + group + "'")).isEqualTo(1);
        assertThat(count("dead_letter where original_topic = '" + group + "'")).isEqualTo(1);
        assertThat(count("dead_letter_attempt where original_topic = '" + group + "'"))
                .isEqualTo(1);
        assertThat(count("projection_rebuild where projection = '" + group + "'"))
                .isEqualTo(1);
        assertThat(count("projection_difference where id = '" + group + "'")).isEqualTo(1);
        assertThat(count("outbox where topic = '" + group + "' and sent_at > now() - interval '7 days'"))
                .isEqualTo(1);
        assertThat(count("outbox where topic = '" + group + "' and sent_at is null"))
                .isEqualTo(1);
        assertThat(count("outbox where topic = '" + group + "'")).isEqualTo(2);
        jdbc.sql("delete from outbox where topic = ?").param(group).update();
    }

    /** With a difference, which goes with it. */
    private void rebuild(String projection, int days) {
        jdbc.sql(
                        """
                        with rebuild as (
                            insert into projection_rebuild (id, tenant, projection, state, step, dry_run, started_by, finished_at)
                            values (gen_random_uuid(), 'default', :name, 'DONE', 'SWAP', false, 'x', now() - make_interval(days => :days))
                            returning id)
                        insert into projection_difference (rebuild, tenant, id) select id, 'default', :name from rebuild""")
                .param("name", projection)
                .param("days", days)
                .update();
    }

    /** With an attempt, which goes with it. */
    private void letter(String topic, int days) {
        jdbc.sql(
                        """
                        with letter as (
                            insert into dead_letter (tenant, id, original_topic, headers, error_class, error_message, error_stack,
                                                     failed_at, status, attempts, updated_at)
                            values ('default', :id, :topic, '{}', 'E', '', '', 0, 'NEW', 1, now() - make_interval(days => :days))
                            returning seq)
                        insert into dead_letter_attempt (tenant, letter, reprocess_timestamp, original_topic, key_digest, value_digest,
                                                         sent_by)
                        select 'default', seq, :days, :topic, '', '', 'x' from letter""")
                .param("id", UUID.randomUUID().toString())
                .param("topic", topic)
                .param("days", days)
                .update();
    }

    private void sent(String topic, Integer days) {
        jdbc.sql(
                        """
                        insert into outbox (tenant, topic, header_names, header_values, created_at, sent_at, set_aside_at)
                        values ('default', ?, '{}', '{}', now() - interval '90 days', now() - make_interval(days => ?), now())""")
                .params(topic, days)
                .update();
    }

    private void handled(String group, int days) {
        jdbc.sql("insert into handled_event values (?, 'default', ?, now() - make_interval(days => ?))")
                .params(group, UUID.randomUUID(), days)
                .update();
    }

    private void key(String key, int days) {
        jdbc.sql(
                        "insert into idempotency_key values ('default', 'c', ?, ''::bytea, null, now() - make_interval(days => ?))")
                .params(key, days)
                .update();
    }

    private void activity(String correlationId, int days) {
        jdbc.sql(
                        """
                        insert into activity (tenant, topic, event_id, event_type, partition, "offset", event_timestamp,
                                              correlation_id, logged_at)
                        values ('default', 't', ?, 't', 0, 0, 0, ?, now() - make_interval(days => ?))""")
                .params(UUID.randomUUID().toString(), correlationId, days)
                .update();
    }

    private int count(String from) {
        return jdbc.sql("select count(*) from " + from).query(Integer.class).single();
    }
}
