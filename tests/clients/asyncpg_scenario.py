"""The scenario every driver plays, with asyncpg: prints one JSON object."""

import asyncio
import json

import asyncpg

found = {}


async def refusal(action):
    try:
        await action
    except asyncpg.PostgresError as error:
        return error
    return None


async def main():
    pool = await asyncpg.create_pool(min_size=2, max_size=2)
    async with pool.acquire() as session, pool.acquire() as other:
        rows = await session.fetch("SELECT name, email FROM users ORDER BY id")
        found["masked"] = [list(row) for row in rows]
        # asyncpg asks for every value in binary format.
        found["binary"] = await session.fetchval("SELECT email FROM users WHERE id = $1", 1)
        prepared = await session.prepare("SELECT name, email FROM users WHERE id = $1")
        found["prepared"] = [list(await prepared.fetchrow(1)) for _ in range(7)]

        error = await refusal(session.execute("DROP TABLE users"))
        found["denied"] = [error.sqlstate, error.message, error.detail]
        found["after"] = await session.fetchval("SELECT 40 + 2")

        async with session.transaction():
            await session.execute("UPDATE orders SET status = 'seen' WHERE id = $1", 1)
        found["transaction"] = await session.fetchval("SELECT status FROM orders WHERE id = 1")

        async def broken():
            async with session.transaction():
                await session.execute("UPDATE orders SET status = 'lost' WHERE id = $1", 1)
                await session.execute("DROP TABLE users")

        found["rolled back"] = (await refusal(broken())).sqlstate
        found["unchanged"] = await session.fetchval("SELECT status FROM orders WHERE id = 1")

        # Bind and Execute for each set of arguments, and one Sync.
        await session.executemany("UPDATE orders SET note = $2 WHERE id = $1", [(1, "a"), (4, "b")])
        count = await session.fetchval("SELECT count(*)::int FROM orders WHERE note IN ('a', 'b')")
        found["pipeline"] = [count, await session.fetchval("SELECT count(*)::int FROM orders")]

        pids = {await one.fetchval("SELECT pg_backend_pid()") for one in (session, other)}
        found["pool"] = len(pids)

        done = await session.execute("DELETE FROM orders WHERE id = 2 /* approve */")
        found["approved"] = int(done.removeprefix("DELETE "))
        waits = asyncio.Event()
        session.add_log_listener(lambda *_: waits.set())
        held = asyncio.ensure_future(session.execute("DELETE FROM orders WHERE id = 3 /* cancel */"))
        await asyncio.wait_for(waits.wait(), 20)
        # asyncpg sends a CancelRequest, waits for the server's error, and says no more of it.
        held.cancel()
        try:
            await held
        except asyncio.CancelledError:
            found["cancelled"] = "57014"
        found["left"] = await session.fetchval("SELECT count(*)::int FROM orders")
    await pool.close()


asyncio.run(main())
print(json.dumps(found))
