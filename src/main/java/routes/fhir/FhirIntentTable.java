package routes.fhir;

import java.sql.Types;
import java.time.Duration;
import java.util.List;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.database.SqlArrays;
import routes.platform.state.RetentionRule;

/** Stores intents and their outcomes. Each method runs one statement, which is one transaction. */
@Component
class FhirIntentTable {

    private static final String INSERT =
            """
            insert into fhir_intent (request_id, tenant, principal, scope, correlation_id, causation_id,
                                     methods, types, ids, counts, next_at)
            values (:requestId, :tenant, :principal, :scope, :correlationId, :causationId,
                    :methods, :types, :ids, :counts, clock_timestamp() + make_interval(secs => :wait))""";

    /**
     * The answer counts, even if the search for effects was first. A claim on a version that another intent is known to
     * have made would only be in the way.
     */
    private static final String NOTE_ANSWER =
            """
            with intent as (
                update fhir_intent
                set http_status = :status, answered_at = clock_timestamp(),
                    state = case when :complete then 'DONE' else state end,
                    closed_at = case when :complete then clock_timestamp() else closed_at end,
                    next_at = case when :answered then clock_timestamp() else next_at end
                where request_id = :requestId and state <> 'DONE')
            insert into fhir_outcome (tenant, type, id, version, request_id, confirmed)
            select :tenant, made.type, made.id, made.version, :requestId, made.confirmed
            from unnest(:types, :ids, :versions, :confirmed) as made (type, id, version, confirmed)
            where made.confirmed or not exists (
                select 1 from fhir_outcome other
                where other.tenant = :tenant and other.type = made.type and other.id = made.id
                  and other.version = made.version and other.confirmed)
            on conflict (tenant, type, id, version, request_id)
            do update set confirmed = fhir_outcome.confirmed or excluded.confirmed""";

    private final JdbcClient jdbc;

    FhirIntentTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Keeps open intents, whatever their age: they have no {@code closed_at}. */
    @Bean
    static RetentionRule fhirIntentRetention(@Value("${event-broker.retention.fhir-intents}") Duration keep) {
        return new RetentionRule("fhir_intent", "closed_at", keep);
    }

    /** Keeps what is noted of open intents: their other versions are still to be found. */
    @Bean
    static RetentionRule fhirOutcomeRetention(@Value("${event-broker.retention.fhir-intents}") Duration keep) {
        return new RetentionRule("fhir_outcome", "noted_at", keep)
                .unless("select 1 from fhir_intent where request_id = fhir_outcome.request_id and state = 'OPEN'");
    }

    /**
     * Stores the intent of a write as OPEN.
     *
     * @param targets what it wants to change
     * @param wait the time for which its own call may still answer
     */
    void insert(FhirRequest request, List<FhirTarget> targets, Duration wait) {
        jdbc.sql(INSERT)
                .param("requestId", request.requestId())
                .param("tenant", request.caller().tenant())
                .param("principal", request.caller().auditName())
                .param("scope", String.join(" ", request.caller().scopes()))
                .param("correlationId", request.correlationId())
                .param("causationId", request.causationId())
                .param("methods", SqlArrays.texts(targets, FhirTarget::method))
                .param("types", SqlArrays.texts(targets, FhirTarget::type))
                .param("ids", SqlArrays.texts(targets, FhirTarget::id))
                .param("counts", SqlArrays.of("int", targets, FhirTarget::count))
                .param("wait", wait.toMillis() / 1000.0)
                .update();
    }

    /**
     * Notes the answer to a write and the versions that it made; once more changes nothing.
     *
     * @param complete whether the intent is DONE; if not, it stays as it is
     */
    void noteAnswer(FhirRequest request, int status, boolean complete, List<FhirOutcome> outcomes) {
        jdbc.sql(NOTE_ANSWER)
                .param("tenant", request.caller().tenant())
                .param("requestId", request.requestId())
                .param("types", SqlArrays.texts(outcomes, outcome -> outcome.made()
                        .type()))
                .param("ids", SqlArrays.texts(outcomes, outcome -> outcome.made()
                        .id()))
                .param("versions", SqlArrays.texts(outcomes, outcome -> outcome.made()
                        .version()))
                .param("confirmed", SqlArrays.of("boolean", outcomes, FhirOutcome::confirmed))
                .param("status", status)
                .param("complete", complete, Types.BOOLEAN)
                .param("answered", AnswerRules.isSuccess(status), Types.BOOLEAN)
                .update();
    }

    /** Closes an intent whose request the server has not received. */
    void closeUnsent(String requestId) {
        jdbc.sql(
                        """
                        update fhir_intent set state = 'NO_EFFECT', closed_at = clock_timestamp()
                        where request_id = ? and state = 'OPEN'""")
                .param(requestId)
                .update();
    }
}
