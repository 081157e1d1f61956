package routes.platform.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.actuate.health.Status;
import org.springframework.transaction.support.TransactionTemplate;
import routes.RuntimeIT;
import routes.platform.error.FailureClassifier;

class RetentionIT extends RuntimeIT {

    @Autowired
    private RetentionPurger retention;

    @Autowired
    private TransactionTemplate transactions;

    @Test
    void purgesOnlyRowsOlderThanTheirRetention() {
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
        intent(group + "-91", 91);
        intent(group + "-89", 89);
        intent(group + "-open", null);

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
        assertThat(count("fhir_intent where request_id = '" + group + "-91'")).isZero();
        assertThat(count("fhir_intent where request_id like '" + group + "%'")).isEqualTo(2);
        assertThat(count("fhir_outcome where request_id like '" + group + "%'")).isEqualTo(2);
        jdbc.sql("delete from fhir_intent where state = 'OPEN' and request_id like ? || '%'")
                .param(group)
                .update();
    }

    @Test
    void purgesInBatchesAndSkipsRowsOfAnotherInstance() {
        own("retention_it", "");
        jdbc.sql(
                        """
                        create function retention_it_statement() returns trigger language plpgsql as $$
                        begin
                            if (select count(*) from gone) > 5000 then raise exception 'too many at once'; end if;
                            return null;
                        end $$""")
                .update();
        try {
            jdbc.sql(
                            """
                            create trigger at_once after delete on retention_it referencing old table as gone
                            for each statement execute function retention_it_statement()""")
                    .update();
            jdbc.sql("insert into retention_it select n, now() - interval '91 days' from generate_series(1, 12000) n")
                    .update();
            transactions.executeWithoutResult(status -> {
                // as another instance does that is about to delete it
                jdbc.sql("select id from retention_it where id = 7 for update")
                        .query()
                        .singleRow();
                CompletableFuture.runAsync(() -> of("retention_it").purge()).join();
            });

            assertThat(count("retention_it")).isEqualTo(1);
            of("retention_it").purge();
            assertThat(count("retention_it")).isZero();
        } finally {
            jdbc.sql("drop table retention_it").update();
            jdbc.sql("drop function retention_it_statement").update();
        }
    }

    @Test
    void purgesChildRowsFirst() {
        own("retention_it", "");
        own("retention_it_part", ", whole bigint references retention_it");
        try {
            jdbc.sql("insert into retention_it values (1, now() - interval '91 days'), (2, now())")
                    .update();
            jdbc.sql("insert into retention_it_part select n, now(), 1 + n % 2 from generate_series(1, 12000) n")
                    .update();

            purging(new RetentionRule("retention_it", "at", Duration.ofDays(90), Map.of("retention_it_part", "whole")))
                    .purge();

            assertThat(count("retention_it")).isEqualTo(1);
            assertThat(count("retention_it_part where whole = 2")).isEqualTo(6000);
            assertThat(count("retention_it_part")).isEqualTo(6000);
        } finally {
            jdbc.sql("drop table retention_it_part, retention_it").update();
        }
    }

    @Test
    void purgesOtherTablesWhenOneFailsAndReportsIt() {
        own("retention_it", "");
        try {
            jdbc.sql("insert into retention_it values (1, now() - interval '91 days')")
                    .update();
            RetentionPurger both = purging(rule("retention_it_missing"), rule("retention_it"));

            both.purge();

            assertThat(count("retention_it")).isZero();
            assertThat(both.health().getStatus()).isEqualTo(Status.DOWN);
            assertThat(both.health().getDetails().get("retention_it_missing").toString())
                    .contains("SQLSTATE 42P01");

            own("retention_it_missing", "");
            both.purge();
            assertThat(both.health().getStatus()).isEqualTo(Status.UP);
        } finally {
            jdbc.sql("drop table if exists retention_it, retention_it_missing").update();
        }
    }

    private void own(String table, String columns) {
        jdbc.sql("create table %s (id bigint primary key, at timestamptz%s)".formatted(table, columns))
                .update();
        jdbc.sql("create index on %s (at)".formatted(table)).update();
    }

    private static RetentionRule rule(String table) {
        return new RetentionRule(table, "at", Duration.ofDays(90));
    }

    private RetentionPurger of(String table) {
        return purging(rule(table));
    }

    private RetentionPurger purging(RetentionRule... rules) {
        return new RetentionPurger(jdbc, List.of(rules), new FailureClassifier(), new SimpleMeterRegistry());
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

    /** With an outcome, if it is closed. */
    private void intent(String requestId, Integer days) {
        jdbc.sql(
                        """
                        with intent as (
                            insert into fhir_intent (request_id, tenant, principal, scope, correlation_id, causation_id, methods, types,
                                                     ids, counts, state, created_at, closed_at, next_at)
                            values (:id, 'default', 'x', '', '', '', '{PUT}', '{Patient}', '{p}', '{1}',
                                    case when :days::int is null then 'OPEN' else 'DONE' end, now() - interval '99 days',
                                    now() - make_interval(days => :days::int), now())
                            returning closed_at)
                        insert into fhir_outcome (tenant, type, id, version, request_id, confirmed, noted_at)
                        select 'default', 'Patient', 'p', '1', :id, true, coalesce(closed_at, now() - interval '99 days') from intent""")
                .param("id", requestId)
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
