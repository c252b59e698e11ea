// The scenario every driver plays, with pgjdbc: prints one JSON object. Run as a source file.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.postgresql.util.PSQLException;

public final class Scenario {
    interface Action {
        void run() throws SQLException;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> found = new LinkedHashMap<>();
        try (Connection session = connect(""); Connection other = connect("")) {
            found.put("masked", rows(session, "SELECT name, email FROM users ORDER BY id"));
            // From the first execution on: named statements, and binary values where there is a choice.
            try (Connection eager = connect("&prepareThreshold=-1")) {
                found.put("binary", one(eager, "SELECT email FROM users WHERE id = 1"));
            }
            // After the fifth execution pgjdbc binds a named statement without describing it again.
            List<Object> prepared = new ArrayList<>();
            try (PreparedStatement statement =
                    session.prepareStatement("SELECT name, email FROM users WHERE id = ?")) {
                for (int again = 0; again < 7; again++) {
                    statement.setInt(1, 1);
                    prepared.add(rows(statement.executeQuery()).get(0));
                }
            }
            found.put("prepared", prepared);

            PSQLException denied = refusal(() -> execute(session, "DROP TABLE users"));
            found.put("denied", List.of(
                    denied.getSQLState(),
                    denied.getServerErrorMessage().getMessage(),
                    denied.getServerErrorMessage().getDetail()));
            found.put("after", one(session, "SELECT 40 + 2"));

            session.setAutoCommit(false);
            execute(session, "UPDATE orders SET status = 'seen' WHERE id = 1");
            session.commit();
            found.put("transaction", one(session, "SELECT status FROM orders WHERE id = 1"));
            session.commit();
            execute(session, "UPDATE orders SET status = 'lost' WHERE id = 1");
            found.put("rolled back", refusal(() -> execute(session, "DROP TABLE users")).getSQLState());
            session.rollback();
            session.setAutoCommit(true);
            found.put("unchanged", one(session, "SELECT status FROM orders WHERE id = 1"));

            // A batch is one pipeline.
            try (PreparedStatement batch = session.prepareStatement("UPDATE orders SET note = ? WHERE id = ?")) {
                for (int id : new int[] {1, 4}) {
                    batch.setString(1, "batch");
                    batch.setInt(2, id);
                    batch.addBatch();
                }
                int count = 0;
                for (int changed : batch.executeBatch()) {
                    count += changed;
                }
                found.put("pipeline", List.of(count, one(session, "SELECT count(*)::int FROM orders")));
            }

            Set<Object> pids = new LinkedHashSet<>();
            pids.add(one(session, "SELECT pg_backend_pid()"));
            pids.add(one(other, "SELECT pg_backend_pid()"));
            found.put("pool", pids.size());

            try (Statement statement = session.createStatement()) {
                found.put("approved", statement.executeUpdate("DELETE FROM orders WHERE id = 2 /* approve */"));
            }
            try (Statement statement = session.createStatement()) {
                Thread canceller = new Thread(() -> cancelOnceItWaits(statement));
                canceller.start();
                found.put("cancelled", refusal(() ->
                        statement.executeUpdate("DELETE FROM orders WHERE id = 3 /* cancel */")).getSQLState());
                canceller.join();
            }
            found.put("left", one(session, "SELECT count(*)::int FROM orders"));
        }
        System.out.println(json(found));
    }

    static Connection connect(String more) throws SQLException {
        Map<String, String> environment = System.getenv();
        String url = "jdbc:postgresql://" + environment.get("PGHOST") + ":" + environment.get("PGPORT") + "/"
                + environment.get("PGDATABASE") + "?sslmode=disable" + more;
        return DriverManager.getConnection(url, environment.get("PGUSER"), environment.get("PGPASSWORD"));
    }

    static void cancelOnceItWaits(Statement statement) {
        try {
            // The notice that says for whom it waits.
            while (statement.getWarnings() == null) {
                Thread.onSpinWait();
                Thread.sleep(5);
            }
            statement.cancel();
        } catch (SQLException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    static PSQLException refusal(Action action) throws SQLException {
        try {
            action.run();
        } catch (PSQLException error) {
            return error;
        }
        throw new SQLException("it was not refused");
    }

    static void execute(Connection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    static List<List<Object>> rows(Connection session, String sql) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            return rows(statement.executeQuery());
        }
    }

    static List<List<Object>> rows(ResultSet results) throws SQLException {
        List<List<Object>> rows = new ArrayList<>();
        while (results.next()) {
            List<Object> row = new ArrayList<>();
            for (int column = 1; column <= results.getMetaData().getColumnCount(); column++) {
                row.add(results.getObject(column));
            }
            rows.add(row);
        }
        return rows;
    }

    static Object one(Connection session, String sql) throws SQLException {
        return rows(session, sql).get(0).get(0);
    }

    static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            List<String> parts = new ArrayList<>();
            map.forEach((name, part) -> parts.add(json(name) + ":" + json(part)));
            return "{" + String.join(",", parts) + "}";
        }
        if (value instanceof List<?> list) {
            return "[" + String.join(",", list.stream().map(Scenario::json).toList()) + "]";
        }
        if (value instanceof String text) {
            return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
        }
        return String.valueOf(value);
    }
}
