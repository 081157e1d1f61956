package routes.platform.projection;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import routes.platform.database.LongStatements;
import routes.platform.error.ProblemException;
import routes.platform.projection.Projection.Table;

/**
 * Creates, compares and swaps the shadow tables of a rebuild. They have the names of the view's tables, in a schema of
 * their own. Call every method in a transaction.
 */
@Component
class ShadowTables {

    /** SQLSTATE: another object depends on the table. */
    private static final String DEPENDED_ON = "2BP01";

    private static final String SHADOW = "projection_shadow";

    /** The wait for running batches and readers; later ones queue behind it. */
    private static final String LOCK_TIMEOUT = "2s";

    private static final int FETCH_SIZE = 10_000;

    private final JdbcTemplate jdbc;
    private final DataSource database;
    private final LongStatements longStatements;

    ShadowTables(JdbcTemplate jdbc, DataSource database, LongStatements longStatements) {
        this.jdbc = jdbc;
        this.database = database;
        this.longStatements = longStatements;
    }

    /** A record that differs between view and rebuild. */
    record Different(String tenant, String id) {}

    /**
     * @param count the number of records that differ
     * @param first the first of them, up to the limit
     */
    record Differences(int count, List<Different> first) {}

    void create(Projection projection) {
        drop(projection);
        for (Table table : projection.tables()) {
            jdbc.execute("create table %1$s.%2$s (like %2$s including all)".formatted(SHADOW, table.name()));
        }
    }

    void drop(Projection projection) {
        for (Table table : projection.tables()) {
            jdbc.execute("drop table if exists %s.%s".formatted(SHADOW, table.name()));
        }
    }

    /** @throws ProblemException when a migration has changed a table since the rebuild began */
    void requireSameColumns(Projection projection) {
        for (Table table : projection.tables()) {
            if (!columns(table.name()).equals(columns(SHADOW + "." + table.name()))) {
                throw new ProblemException(409, "table " + table.name() + " has changed since the rebuild began");
            }
        }
    }

    private List<String> columns(String table) {
        return jdbc.queryForList(
                """
                select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute
                where attrelid = to_regclass(?) and attnum > 0 and not attisdropped order by attnum""",
                String.class,
                table);
    }

    /** Runs work whose statements reach the shadow tables by their plain names. */
    void inShadowSchema(Runnable work) {
        String path = jdbc.queryForObject("select current_setting('search_path')", String.class);
        jdbc.execute("set local search_path = " + SHADOW + ", " + path);
        work.run();
        jdbc.execute("set local search_path = " + path);
    }

    /**
     * Pauses the projection until the transaction ends, so the view stays at its positions.
     *
     * @throws org.springframework.dao.DataAccessException after the lock timeout
     */
    void lock(Projection projection) {
        jdbc.execute((ConnectionCallback<Void>) connection -> {
            lock(connection, projection);
            return null;
        });
    }

    private static void lock(Connection connection, Projection projection) throws SQLException {
        try (Statement timeout = connection.createStatement();
                PreparedStatement lock =
                        connection.prepareStatement("select pg_advisory_xact_lock(hashtextextended(?, 0))")) {
            timeout.execute("set local lock_timeout = '" + LOCK_TIMEOUT + "'");
            lock.setString(1, projection.lockName());
            lock.execute();
        }
    }

    /**
     * Compares all columns of the view with those of the rebuild. The projection pauses only until both are at the same
     * positions; the comparison then reads a snapshot.
     *
     * @param keyFilter see {@link RebuildJob#keyFilter}; null compares everything
     * @param catchUp brings the rebuild to the positions of the view
     * @param limit of the differences to name
     */
    Differences compare(Projection projection, UUID keyFilter, Runnable catchUp, int limit) {
        longStatements.allow();
        for (Table table : projection.tables()) {
            jdbc.execute("analyze %s.%s".formatted(SHADOW, table.name()));
        }
        String differing = projection.tables().stream()
                .map(table -> differing(table, keyFilter))
                .collect(Collectors.joining(" union "));
        // on a second connection: the lock ends before this transaction
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            lock(connection, projection);
            catchUp.run();
            // a cursor reads the snapshot of its declaration
            jdbc.execute("declare differing cursor for " + differing);
            connection.rollback();
        } catch (SQLException e) {
            throw jdbc.getExceptionTranslator().translate("lock", null, e);
        }
        List<Different> first = new ArrayList<>();
        int count = 0;
        for (int fetched = FETCH_SIZE; fetched == FETCH_SIZE; count += fetched) {
            List<Different> next = jdbc.query(
                    "fetch " + FETCH_SIZE + " from differing",
                    (row, n) -> new Different(row.getString("tenant"), row.getString("id")));
            fetched = next.size();
            next.stream().limit(Math.max(0, limit - first.size())).forEach(first::add);
        }
        jdbc.execute("close differing");
        return new Differences(count, first);
    }

    private String differing(Table table, UUID keyFilter) {
        String served = keyFilter == null
                ? table.name()
                : "(select * from %s where %s in (%s))".formatted(table.name(), table.idColumn(), keys(keyFilter));
        return "select distinct tenant, %2$s as id from %1$s served full join %4$s.%5$s rebuilt using (%3$s) where served is distinct from rebuilt"
                .formatted(served, table.idColumn(), String.join(", ", table.key()), SHADOW, table.name());
    }

    /** Replaces the tables of the view by the shadow tables. */
    void swapTables(Projection projection) {
        String home = jdbc.queryForObject("select quote_ident(current_schema())", String.class);
        for (Table table : projection.tables()) {
            dropServed(table);
            jdbc.execute("alter table %s.%s set schema %s".formatted(SHADOW, table.name(), home));
        }
    }

    private void dropServed(Table table) {
        try {
            jdbc.execute("drop table " + table.name());
        } catch (DataAccessException e) {
            if (e.getCause() instanceof SQLException sql && DEPENDED_ON.equals(sql.getSQLState())) {
                throw new ProblemException(
                        409,
                        "something else in the database depends on table " + table.name()
                                + ", so the rebuild cannot replace it");
            }
            throw e;
        }
    }

    /** Replaces the rows of some keys by those of the shadow tables. */
    void swapRows(Projection projection, UUID keyFilter) {
        longStatements.allow();
        for (Table table : projection.tables()) {
            jdbc.update("delete from %s where %s in (%s)".formatted(table.name(), table.idColumn(), keys(keyFilter)));
            jdbc.update("insert into %2$s select * from %1$s.%2$s".formatted(SHADOW, table.name()));
        }
        drop(projection);
    }

    private static String keys(UUID keyFilter) {
        return "select key from projection_rebuild_key where rebuild = '" + keyFilter + "'";
    }
}
