"""COPY in both directions, with psycopg 3: prints one JSON object."""

import json

import psycopg

found = {}
with psycopg.connect(autocommit=True) as session, session.cursor() as cursor:
    with cursor.copy("COPY orders (id, user_id, total, status) FROM STDIN") as copy:
        copy.write_row((500, 1, "1.00", "new"))
    with cursor.copy("COPY orders (id, user_id, total, status) FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "int4", "numeric", "text"])
        copy.write_row((501, 1, 2, "new"))
    found["rows"] = cursor.execute("SELECT count(*) FROM orders").fetchone()[0]
    with cursor.copy("COPY (SELECT name, email FROM users ORDER BY id) TO STDOUT") as copy:
        found["masked"] = [list(row) for row in copy.rows()]
    try:
        with cursor.copy("COPY orders FROM STDIN") as copy:
            copy.write("ada.brook@example.com\n")
    except psycopg.Error as error:
        found["failed"] = error.sqlstate
        found["message"] = str(error)
    found["after"] = session.execute("SELECT 40 + 2").fetchone()[0]
print(json.dumps(found))
