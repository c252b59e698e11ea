// Node's fetch against the API `crm`: what it got, as JSON.
"use strict";

const { BASE, TOKEN } = process.env;
const call = (path, options = {}) =>
  fetch(BASE + path, { ...options, headers: { authorization: `Bearer ${TOKEN}`, ...options.headers } });

(async () => {
  const users = await (await call("/users")).json();
  const denied = await call("/users/7", { method: "DELETE" });
  const problem = await denied.json();
  const events = await (await call("/events")).text();
  console.log(JSON.stringify({ users, denied: [denied.status, problem.rule], events }));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
