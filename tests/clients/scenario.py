"""The scenario every driver plays, with psycopg 3: prints one JSON object."""

import json

import psycopg

found = {}
with psycopg.connect(autocommit=True) as session:
    rows = session.execute("SELECT name, email FROM users ORDER BY id").fetchall()
    found["masked"] = [list(row) for row in rows]
    with session.cursor(binary=True) as cursor:
        cursor.execute("SELECT email FROM users WHERE id = %s", [1])
        found["binary"] = cursor.fetchone()[0]
    row = session.execute("SELECT name FROM users WHERE id = %s", [2], prepare=True).fetchone()
    found["parameter"] = row[0]
    try:
        session.execute("DROP TABLE users")
        found["denied"] = None
    except psycopg.Error as error:
        found["denied"] = [error.sqlstate, error.diag.message_primary]
    found["after"] = session.execute("SELECT 40 + 2").fetchone()[0]
    with session.transaction():
        session.execute("UPDATE orders SET status = 'seen' WHERE id = 1")
    found["transaction"] = session.execute("SELECT status FROM orders WHERE id = 1").fetchone()[0]
    try:
        with session.transaction():
            session.execute("UPDATE orders SET status = 'lost' WHERE id = 1")
            session.execute("DROP TABLE users")
    except psycopg.Error as error:
        found["rolled back"] = error.sqlstate
    found["unchanged"] = session.execute("SELECT status FROM orders WHERE id = 1").fetchone()[0]
    with session.pipeline():
        first = session.execute("SELECT %s::int + 1", [1])
        second = session.execute("SELECT count(*)::int FROM orders")
        found["pipeline"] = [first.fetchone()[0], second.fetchone()[0]]
print(json.dumps(found))
