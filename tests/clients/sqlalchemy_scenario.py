"""The scenario every driver plays, with SQLAlchemy's ORM layer over psycopg: prints one JSON object."""

import json
import threading

from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, func, select, text, update
from sqlalchemy.exc import DBAPIError

found = {}
engine = create_engine("postgresql+psycopg://", pool_size=2, max_overflow=0)
# Reads the catalogue, as an application that reflects its schema does.
users = Table("users", MetaData(), autoload_with=engine)
orders = Table("orders", MetaData(), Column("id", Integer, primary_key=True), Column("status", Text))


def refusal(action):
    try:
        action()
    except DBAPIError as error:
        return error.orig
    return None


def status():
    with engine.connect() as session:
        return session.scalar(select(orders.c.status).where(orders.c.id == 1))


with engine.connect() as session, engine.connect() as other:
    rows = session.execute(select(users.c.name, users.c.email).order_by(users.c.id))
    found["masked"] = [list(row) for row in rows]
    found["binary"] = session.scalar(select(users.c.email).where(users.c.id == 1))
    # psycopg prepares a statement once it has come five times.
    prepared = select(users.c.name, users.c.email).where(users.c.id == 1)
    found["prepared"] = [list(session.execute(prepared).one()) for _ in range(7)]
    pids = {one.scalar(text("SELECT pg_backend_pid()")) for one in (session, other)}
    found["pool"] = len(pids)
    session.rollback()

    error = refusal(lambda: session.execute(text("DROP TABLE users")))
    found["denied"] = [error.sqlstate, error.diag.message_primary, error.diag.message_detail]
    session.rollback()
    found["after"] = session.scalar(text("SELECT 40 + 2"))
    session.rollback()

with engine.begin() as session:
    session.execute(update(orders).where(orders.c.id == 1).values(status="seen"))
found["transaction"] = status()


def broken():
    with engine.begin() as session:
        session.execute(update(orders).where(orders.c.id == 1).values(status="lost"))
        session.execute(text("DROP TABLE users"))


found["rolled back"] = refusal(broken).sqlstate
found["unchanged"] = status()

with engine.begin() as session:
    # One executemany: psycopg sends it as a pipeline.
    session.execute(
        text("UPDATE orders SET note = :note WHERE id = :id"), [{"id": 1, "note": "a"}, {"id": 4, "note": "b"}]
    )
    count = session.scalar(text("SELECT count(*) FROM orders WHERE note IN ('a', 'b')"))
    found["pipeline"] = [count, session.scalar(select(func.count()).select_from(orders))]

with engine.begin() as session:
    found["approved"] = session.execute(text("DELETE FROM orders WHERE id = 2 /* approve */")).rowcount
with engine.connect() as session:
    driver = session.connection.driver_connection
    waits = threading.Event()
    driver.add_notice_handler(lambda notice: waits.set())
    threading.Thread(target=lambda: waits.wait(20) and driver.cancel()).start()
    found["cancelled"] = refusal(lambda: session.execute(text("DELETE FROM orders WHERE id = 3 /* cancel */"))).sqlstate
    session.rollback()
    found["left"] = session.scalar(select(func.count()).select_from(orders))
print(json.dumps(found))
