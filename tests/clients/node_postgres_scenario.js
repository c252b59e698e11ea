// The scenario every driver plays, with node-postgres: prints one JSON object.
const { Client, Pool } = require("pg");

async function main() {
  const found = {};
  const session = new Client();
  await session.connect();
  const query = async (text, values) => {
    const result = await session.query({ text, values, rowMode: "array" });
    return result.rows;
  };
  const refusal = (promise) => promise.then(() => null, (error) => error);
  found.masked = await query("SELECT name, email FROM users ORDER BY id");
  // `binary` asks for every value in binary format.
  const binary = await session.query({
    text: "SELECT email FROM users WHERE id = $1",
    values: [1],
    rowMode: "array",
    binary: true,
  });
  found.binary = binary.rows[0][0];
  // The second time on, a named statement is bound without Parse.
  found.prepared = [];
  for (let again = 0; again < 7; again++) {
    const named = { name: "one-user", text: "SELECT name, email FROM users WHERE id = $1", values: [1] };
    const { rows } = await session.query({ ...named, rowMode: "array" });
    found.prepared.push(rows[0]);
  }

  const denied = await refusal(query("DROP TABLE users"));
  found.denied = [denied.code, denied.message, denied.detail];
  found.after = (await query("SELECT 40 + 2"))[0][0];

  await query("BEGIN");
  await query("UPDATE orders SET status = 'seen' WHERE id = $1", [1]);
  await query("COMMIT");
  found.transaction = (await query("SELECT status FROM orders WHERE id = 1"))[0][0];
  await query("BEGIN");
  await query("UPDATE orders SET status = 'lost' WHERE id = $1", [1]);
  found["rolled back"] = (await refusal(query("DROP TABLE users"))).code;
  await query("COMMIT");
  found.unchanged = (await query("SELECT status FROM orders WHERE id = 1"))[0][0];

  // node-postgres queues these; each is a round of its own.
  const [first, second] = await Promise.all([
    query("SELECT $1::int + 1", [1]),
    query("SELECT count(*)::int FROM orders"),
  ]);
  found.pipeline = [first[0][0], second[0][0]];

  const pool = new Pool({ max: 2 });
  const both = await Promise.all([pool.connect(), pool.connect()]);
  const pids = await Promise.all(both.map((one) => one.query("SELECT pg_backend_pid() AS pid")));
  found.pool = new Set(pids.map(({ rows }) => rows[0].pid)).size;
  both.forEach((one) => one.release());
  await pool.end();

  found.approved = (await session.query("DELETE FROM orders WHERE id = 2 /* approve */")).rowCount;
  session.once("notice", () => {
    const { processID, secretKey } = session;
    const request = new Client();
    request.connection.on("connect", () => request.connection.cancel(processID, secretKey));
    request.connection.connect(session.port, session.host);
  });
  found.cancelled = (await refusal(query("DELETE FROM orders WHERE id = 3 /* cancel */"))).code;
  found.left = (await query("SELECT count(*)::int FROM orders"))[0][0];
  await session.end();
  console.log(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
