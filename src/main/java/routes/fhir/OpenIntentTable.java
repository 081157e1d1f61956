package routes.fhir;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.fhir.OpenIntent.End;
import routes.fhir.OpenIntent.Progress;
import routes.platform.database.SqlArrays;

/**
 * Leases open intents to the search for their effects, and notes what it finds. A search whose lease has ended notes
 * nothing, because another one may have the intent.
 */
@Component
class OpenIntentTable {

    private static final String DUE =
            """
            state = 'OPEN' and next_at <= now() and (leased_until is null or leased_until <= now())""";

    static final String DUE_TENANTS =
            """
            select tenant from unnest(:tenants) as server (tenant)
            where exists (select 1 from fhir_intent where tenant = server.tenant and %s)"""
                    .formatted(DUE);

    static final String CLAIM =
            """
            with due as (
                select request_id from fhir_intent
                where tenant = :tenant and %s
                order by next_at limit 1
                for update skip locked)
            update fhir_intent intent
            set leased_until = now() + make_interval(secs => :lease), attempts = attempts + 1
            from due
            where intent.request_id = due.request_id
            returning intent.*, intent.created_at < now() - make_interval(secs => :limit) as expired,
                array(select array[type, id, version] from fhir_outcome noted
                      where noted.request_id = intent.request_id and noted.confirmed) as noted"""
                    .formatted(DUE);

    static final String FREE_DELETES =
            """
            select type, id, version,
                exists (
                    select 1 from fhir_outcome other
                    where (other.tenant, other.type, other.id, other.version) = (:tenant, found.type, found.id, found.version)
                      and other.request_id <> :requestId)
                or exists (
                    select 1 from fhir_intent other
                    where other.tenant = :tenant and 'DELETE' = any(other.methods) and other.request_id <> :requestId
                      and other.created_at > :after and other.state in ('OPEN', 'UNRESOLVED')
                      and exists (
                          select 1 from unnest(other.methods, other.types, other.ids) as target (method, type, id)
                          where target.method = 'DELETE' and target.type = found.type
                            and (target.id is null or target.id = found.id))
                      and (
                          select count(*) from fhir_outcome made
                          where made.request_id = other.request_id and made.confirmed
                            and made.type = found.type and made.id = found.id)
                      < coalesce((
                          select sum(target.count)
                          from unnest(other.types, other.ids, other.counts) as target (type, id, count)
                          where target.type = found.type and target.id = found.id), 1)
                ) as contested
            from unnest(:types, :ids, :versions) as found (type, id, version)
            where not exists (
                select 1 from fhir_outcome other
                where (other.tenant, other.type, other.id, other.version) = (:tenant, found.type, found.id, found.version)
                  and other.request_id <> :requestId and other.confirmed)""";

    /** A version that another intent is known to have made stays its version, whatever a source claims. */
    private static final String NOTE =
            """
            with intent as (
                update fhir_intent
                set state = :state, closed_at = case when :state = 'OPEN' then null else now() end, leased_until = null,
                    asked = :asked, unclear = :unclear, passes = :passes, attempts = :attempts,
                    next_at = now() + make_interval(secs => :wait)
                where request_id = :requestId and state = 'OPEN' and leased_until = :leasedUntil
                returning tenant, request_id),
            noted as (
                insert into fhir_outcome (tenant, type, id, version, request_id, confirmed)
                select intent.tenant, made.type, made.id, made.version, intent.request_id, true
                from intent cross join unnest(:types, :ids, :versions) as made (type, id, version)
                where not exists (
                    select 1 from fhir_outcome other
                    where other.tenant = intent.tenant and other.type = made.type and other.id = made.id
                      and other.version = made.version and other.request_id <> intent.request_id and other.confirmed)
                on conflict (tenant, type, id, version, request_id) do update set confirmed = true)
            select exists (select 1 from intent)""";

    private final JdbcClient jdbc;

    OpenIntentTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A delete in the history of a resource that no other intent is known to have made.
     *
     * @param contested whether another intent may have made it
     */
    record FreeDelete(FhirVersion version, boolean contested) {}

    /** Returns those of the tenants that have an intent to ask for. */
    List<String> dueTenants(Collection<String> tenants) {
        return jdbc.sql(DUE_TENANTS)
                .param("tenants", SqlArrays.texts(tenants, tenant -> tenant))
                .query(String.class)
                .list();
    }

    /**
     * Leases the intent of a tenant that has waited longest, so that other instances leave it alone. Each lease counts
     * as an attempt, because its process may die.
     *
     * @param limit the age at which the search for effects ends
     */
    Optional<OpenIntent> claim(String tenant, Duration lease, Duration limit) {
        return jdbc.sql(CLAIM)
                .param("tenant", tenant)
                .param("lease", lease.toMillis() / 1000.0)
                .param("limit", limit.toSeconds())
                .query((row, n) -> read(row))
                .optional();
    }

    private static OpenIntent read(ResultSet row) throws SQLException {
        int status = row.getInt("http_status");
        return new OpenIntent(
                row.getString("request_id"),
                row.getString("tenant"),
                row.getTimestamp("created_at").toInstant(),
                AnswerRules.isSuccess(status),
                row.getBoolean("expired"),
                targets(row),
                noted(row.getArray("noted")),
                new Progress(
                        row.getInt("asked"), row.getBoolean("unclear"), row.getInt("passes"), row.getInt("attempts")),
                row.getTimestamp("leased_until").toInstant());
    }

    private static List<FhirTarget> targets(ResultSet row) throws SQLException {
        String[] methods = (String[]) row.getArray("methods").getArray();
        String[] types = (String[]) row.getArray("types").getArray();
        String[] ids = (String[]) row.getArray("ids").getArray();
        Integer[] counts = (Integer[]) row.getArray("counts").getArray();
        List<FhirTarget> targets = new ArrayList<>(methods.length);
        for (int i = 0; i < methods.length; i++) {
            targets.add(new FhirTarget(methods[i], types[i], ids[i], counts[i]));
        }
        return targets;
    }

    private static Set<FhirVersion> noted(Array versions) throws SQLException {
        Set<FhirVersion> noted = new HashSet<>();
        for (Object version : (Object[]) versions.getArray()) {
            String[] part = (String[]) version;
            noted.add(new FhirVersion(part[0], part[1], part[2]));
        }
        return noted;
    }

    /**
     * Leaves out the deletes that are known to be of other intents.
     *
     * @param after the age of the oldest intent that may still have an effect
     */
    List<FreeDelete> freeDeletes(OpenIntent intent, Collection<FhirVersion> deletes, Instant after) {
        return jdbc.sql(FREE_DELETES)
                .param("tenant", intent.tenant())
                .param("requestId", intent.requestId())
                .param("after", Timestamp.from(after))
                .param("types", SqlArrays.texts(deletes, FhirVersion::type))
                .param("ids", SqlArrays.texts(deletes, FhirVersion::id))
                .param("versions", SqlArrays.texts(deletes, FhirVersion::version))
                .query((row, n) -> new FreeDelete(
                        new FhirVersion(row.getString("type"), row.getString("id"), row.getString("version")),
                        row.getBoolean("contested")))
                .list();
    }

    /**
     * Notes versions of an intent, leaves it open, and ends the lease.
     *
     * @param wait the time until the server is asked again
     */
    void leaveOpen(OpenIntent intent, Collection<FhirVersion> made, Progress progress, Duration wait) {
        note(intent, made, "OPEN", progress, wait);
    }

    /**
     * Notes versions of an intent, and closes it.
     *
     * @return false when the lease has ended, or the answer has closed the intent before
     */
    boolean close(OpenIntent intent, Collection<FhirVersion> made, End end) {
        return note(intent, made, end.name(), intent.progress(), Duration.ZERO);
    }

    private boolean note(
            OpenIntent intent, Collection<FhirVersion> made, String state, Progress progress, Duration wait) {
        return jdbc.sql(NOTE)
                .param("requestId", intent.requestId())
                .param("leasedUntil", Timestamp.from(intent.leasedUntil()))
                .param("state", state)
                .param("asked", progress.asked())
                .param("unclear", progress.unclear(), Types.BOOLEAN)
                .param("passes", progress.passes())
                .param("attempts", progress.attempts())
                .param("wait", wait.toMillis() / 1000.0)
                .param("types", SqlArrays.texts(made, FhirVersion::type))
                .param("ids", SqlArrays.texts(made, FhirVersion::id))
                .param("versions", SqlArrays.texts(made, FhirVersion::version))
                .query(Boolean.class)
                .single();
    }
}
