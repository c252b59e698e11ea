"""The scenario every driver plays, with psycopg 3: prints one JSON object."""

import json
import threading

import psycopg

found = {}


def refusal(action):
    try:
        action()
    except psycopg.Error as error:
        return error
    return None


with psycopg.connect(autocommit=True) as session:
    rows = session.execute("SELECT name, email FROM users ORDER BY id").fetchall()
    found["masked"] = [list(row) for row in rows]
    with session.cursor(binary=True) as cursor:
        cursor.execute("SELECT email FROM users WHERE id = %s", [1])
        found["binary"] = cursor.fetchone()[0]
    prepared = "SELECT name, email FROM users WHERE id = %s"
    found["prepared"] = [list(session.execute(prepared, [1], prepare=True).fetchone()) for _ in range(7)]

    error = refusal(lambda: session.execute("DROP TABLE users"))
    found["denied"] = [error.sqlstate, error.diag.message_primary, error.diag.message_detail]
    found["after"] = session.execute("SELECT 40 + 2").fetchone()[0]

    with session.transaction():
        session.execute("UPDATE orders SET status = 'seen' WHERE id = 1")
    found["transaction"] = session.execute("SELECT status FROM orders WHERE id = 1").fetchone()[0]

    def broken():
        with session.transaction():
            session.execute("UPDATE orders SET status = 'lost' WHERE id = 1")
            session.execute("DROP TABLE users")

    found["rolled back"] = refusal(broken).sqlstate
    found["unchanged"] = session.execute("SELECT status FROM orders WHERE id = 1").fetchone()[0]

    with session.pipeline():
        first = session.execute("SELECT %s::int + 1", [1])
        second = session.execute("SELECT count(*)::int FROM orders")
        found["pipeline"] = [first.fetchone()[0], second.fetchone()[0]]

    with psycopg.connect(autocommit=True) as other:
        pids = {one.execute("SELECT pg_backend_pid()").fetchone()[0] for one in (session, other)}
    found["pool"] = len(pids)

    found["approved"] = session.execute("DELETE FROM orders WHERE id = 2 /* approve */").rowcount
    waits = threading.Event()
    session.add_notice_handler(lambda notice: waits.set())
    threading.Thread(target=lambda: waits.wait(20) and session.cancel()).start()
    error = refusal(lambda: session.execute("DELETE FROM orders WHERE id = 3 /* cancel */"))
    found["cancelled"] = error.sqlstate
    found["left"] = session.execute("SELECT count(*)::int FROM orders").fetchone()[0]
print(json.dumps(found))
