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
 * The tables of a rebuild: like those that are served and with the same names, in a schema of their own, until they take their place.
 * All methods belong into a transaction.
 */
@Component
class ShadowTables {

    /** SQLSTATE. */
    private static final String DEPENDED_ON = "2BP01";

    private static final String SHADOW = "projection_shadow";

    /** For how long an exchange waits for batches and readers; while it does, later ones wait behind it. */
    private static final String PATIENCE = "2s";

    /** Differences that are read at once. */
    private static final int FETCH = 10_000;

    private final JdbcTemplate jdbc;
    private final DataSource database;
    private final LongStatements longStatements;

    ShadowTables(JdbcTemplate jdbc, DataSource database, LongStatements longStatements) {
        this.jdbc = jdbc;
        this.database = database;
        this.longStatements = longStatements;
    }

    /** A record that differs, by its key. */
    record Different(String tenant, String id) {}

    /**
     * @param count how many records differ
     * @param first of them, as many as were asked for
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
    void check(Projection projection) {
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

    /** Does something with the tables of rebuilds in place of those that are served. */
    void use(Runnable work) {
        String path = jdbc.queryForObject("select current_setting('search_path')", String.class);
        jdbc.execute("set local search_path = " + SHADOW + ", " + path);
        work.run();
        jdbc.execute("set local search_path = " + path);
    }

    /**
     * Until the transaction ends, no batch is projected: the view is exactly that of its positions.
     *
     * @throws org.springframework.dao.DataAccessException when that cannot be had soon
     */
    void lock(Projection projection) {
        jdbc.execute((ConnectionCallback<Void>) connection -> {
            lock(connection, projection);
            return null;
        });
    }

    private static void lock(Connection connection, Projection projection) throws SQLException {
        try (Statement patience = connection.createStatement();
                PreparedStatement lock =
                        connection.prepareStatement("select pg_advisory_xact_lock(hashtextextended(?, 0))")) {
            patience.execute("set local lock_timeout = '" + PATIENCE + "'");
            lock.setString(1, projection.lockName());
            lock.execute();
        }
    }

    /**
     * Compares all columns of what is served with the rebuild. Batches wait only until both are at the same positions; while they are
     * compared, in that state, projecting goes on.
     *
     * @param keysOf the rebuild whose keys alone are compared; null for everything
     * @param catchUp brings the rebuild to the positions of the view
     * @param most differences to name
     */
    Differences compare(Projection projection, UUID keysOf, Runnable catchUp, int most) {
        longStatements.allow();
        for (Table table : projection.tables()) {
            jdbc.execute("analyze %s.%s".formatted(SHADOW, table.name()));
        }
        String differing = projection.tables().stream()
                .map(table -> differing(table, keysOf))
                .collect(Collectors.joining(" union "));
        // of a second connection: the lock ends before this transaction does
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            lock(connection, projection);
            catchUp.run();
            // a cursor sees everything as it is when it is declared
            jdbc.execute("declare differing cursor for " + differing);
            connection.rollback();
        } catch (SQLException e) {
            throw jdbc.getExceptionTranslator().translate("lock", null, e);
        }
        List<Different> first = new ArrayList<>();
        int count = 0;
        for (int fetched = FETCH; fetched == FETCH; count += fetched) {
            List<Different> next = jdbc.query(
                    "fetch " + FETCH + " from differing",
                    (row, n) -> new Different(row.getString("tenant"), row.getString("id")));
            fetched = next.size();
            next.stream().limit(Math.max(0, most - first.size())).forEach(first::add);
        }
        jdbc.execute("close differing");
        return new Differences(count, first);
    }

    private String differing(Table table, UUID keysOf) {
        String served = keysOf == null
                ? table.name()
                : "(select * from %s where %s in (%s))".formatted(table.name(), table.idColumn(), keys(keysOf));
        return "select distinct tenant, %2$s as id from %1$s served full join %4$s.%5$s rebuilt using (%3$s) where served is distinct from rebuilt"
                .formatted(served, table.idColumn(), String.join(", ", table.key()), SHADOW, table.name());
    }

    /** Gives the tables of the rebuild the place of those that are served. */
    void swap(Projection projection) {
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
                                + ", which is to be exchanged");
            }
            throw e;
        }
    }

    /** Gives the rows of some keys the place of those that are served. */
    void exchange(Projection projection, UUID keysOf) {
        longStatements.allow();
        for (Table table : projection.tables()) {
            jdbc.update("delete from %s where %s in (%s)".formatted(table.name(), table.idColumn(), keys(keysOf)));
            jdbc.update("insert into %2$s select * from %1$s.%2$s".formatted(SHADOW, table.name()));
        }
        drop(projection);
    }

    private static String keys(UUID rebuild) {
        return "select key from projection_rebuild_key where rebuild = '" + rebuild + "'";
    }
}
