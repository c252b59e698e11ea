// The scenario every driver plays, with node-postgres: prints one JSON object.
const { Client } = require("pg");

async function main() {
  const found = {};
  const session = new Client();
  await session.connect();
  const query = async (text, values) => {
    const result = await session.query({ text, values, rowMode: "array" });
    return result.rows;
  };
  found.masked = await query("SELECT name, email FROM users ORDER BY id");
  // `binary` asks for every value in binary format.
  const binary = await session.query({
    text: "SELECT email FROM users WHERE id = $1",
    values: [1],
    rowMode: "array",
    binary: true,
  });
  found.binary = binary.rows[0][0];
  const named = { name: "one-user", text: "SELECT name FROM users WHERE id = $1", values: [2] };
  found.parameter = (await session.query(named)).rows[0].name;
  found.denied = await query("DROP TABLE users").then(
    () => null,
    (error) => [error.code, error.message],
  );
  found.after = (await query("SELECT 40 + 2"))[0][0];
  await query("BEGIN");
  await query("UPDATE orders SET status = 'seen' WHERE id = $1", [1]);
  await query("COMMIT");
  found.transaction = (await query("SELECT status FROM orders WHERE id = 1"))[0][0];
  await query("BEGIN");
  await query("UPDATE orders SET status = 'lost' WHERE id = $1", [1]);
  await query("DROP TABLE users").catch((error) => (found["rolled back"] = error.code));
  await query("COMMIT");
  found.unchanged = (await query("SELECT status FROM orders WHERE id = 1"))[0][0];
  // node-postgres sends the second before the first is answered.
  const [first, second] = await Promise.all([
    query("SELECT $1::int + 1", [1]),
    query("SELECT count(*)::int FROM orders"),
  ]);
  found.pipeline = [first[0][0], second[0][0]];
  await session.end();
  console.log(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
