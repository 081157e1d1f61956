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
import java.util.Set;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.database.SqlArrays;

/** Claims open intents for the search for their effects, and closes them. */
@Component
class OpenIntentTable {

    /** A claim ends by itself when its instance dies. */
    private static final Duration LEASE = Duration.ofMinutes(5);

    /** The tenants take turns, so that a long queue of one delays no other. */
    private static final String CLAIM =
            """
            with due as (
                select mine.request_id
                from unnest(:tenants) as server (tenant)
                cross join lateral (
                    select request_id from fhir_intent
                    where tenant = server.tenant and state = 'OPEN' and next_at <= now()
                    order by next_at limit :each
                    for update skip locked) mine)
            update fhir_intent intent set next_at = now() + make_interval(secs => :lease)
            from due
            where intent.request_id = due.request_id
            returning intent.*, intent.created_at < now() - make_interval(secs => :limit) as expired,
                array(select array[type, id, version] from fhir_outcome noted
                      where noted.request_id = intent.request_id and noted.confirmed) as noted""";

    private static final String FREE_DELETES =
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
                      and not exists (
                          select 1 from fhir_outcome made
                          where made.request_id = other.request_id and made.type = found.type and made.id = found.id)
                ) as contested
            from unnest(:types, :ids, :versions) as found (type, id, version)
            where not exists (
                select 1 from fhir_outcome other
                where (other.tenant, other.type, other.id, other.version) = (:tenant, found.type, found.id, found.version)
                  and other.request_id <> :requestId and other.confirmed)""";

    private static final String CONTINUE =
            """
            update fhir_intent
            set asked = :asked, unclear = :unclear, passes = :passes, next_at = now() + make_interval(secs => :wait)
            where request_id = :requestId and state = 'OPEN'""";

    private static final String CLOSE =
            """
            update fhir_intent set state = :state, closed_at = now() where request_id = :requestId and state = 'OPEN'""";

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

    /**
     * Claims intents that are due for a few minutes, so that other instances leave them alone.
     *
     * @param tenants those whose servers can be asked
     * @param each the most intents of a tenant
     * @param limit the age at which the search for effects ends
     */
    List<OpenIntent> claim(Collection<String> tenants, int each, Duration limit) {
        return jdbc.sql(CLAIM)
                .param("tenants", SqlArrays.texts(tenants, tenant -> tenant))
                .param("each", each)
                .param("lease", LEASE.toSeconds())
                .param("limit", limit.toSeconds())
                .query((row, n) -> read(row))
                .list();
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
                row.getInt("asked"),
                row.getBoolean("unclear"),
                row.getInt("passes"),
                noted(row.getArray("noted")));
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
     * Leaves an intent open, and ends the claim on it.
     *
     * @param asked the targets that this pass has asked for, 0 for a new pass
     * @param wait the time until the server is asked again
     */
    void leaveOpen(OpenIntent intent, int asked, boolean unclear, int passes, Duration wait) {
        jdbc.sql(CONTINUE)
                .param("requestId", intent.requestId())
                .param("asked", asked)
                .param("unclear", unclear, Types.BOOLEAN)
                .param("passes", passes)
                .param("wait", wait.toMillis() / 1000.0)
                .update();
    }

    /** Closes an intent, unless its answer has closed it before. */
    void close(OpenIntent intent, OpenIntent.End end) {
        jdbc.sql(CLOSE)
                .param("requestId", intent.requestId())
                .param("state", end.name())
                .update();
    }
}
