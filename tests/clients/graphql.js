// Node's fetch against a GraphQL API: what each request got, as JSON.
"use strict";

const { BASE, TOKEN } = process.env;
const post = async (body) => {
  const answer = await fetch(`${BASE}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const found = await answer.json();
  return [answer.status, found.data ?? `${found.rule}: ${found.detail}`];
};

(async () => {
  const found = {
    query: await post({ query: "query Who($id: ID!) { user(id: $id) { email } }", variables: { id: 7 } }),
    mutation: await post({ query: "mutation { note(id: 7, text: \"x\") { id } }" }),
    small: await post({ query: "mutation R($a: Int) { refund(amount: $a) { id } }", variables: { a: 10 } }),
    large: await post({ query: "mutation R($a: Int) { refund(amount: 1000) { id } }", variables: { a: 10 } }),
    hidden: await post({ query: "query A { user(id: 7) { email } } mutation M { user: deleteUser(id: 7) { id } }", operationName: "M" }),
    spread: await post({ query: "mutation { ...A } fragment A on Mutation { ... { x: deleteUser(id: 7) { id } } }" }),
    batch: await post([{ query: "{ user(id: 7) { email } }" }, { query: "mutation { deleteUser(id: 7) { id } }" }]),
    persisted: await post({ extensions: { persistedQuery: { version: 1, sha256Hash: "00" } } }),
    two: await post({ query: "query A { user(id: 7) { email } } mutation B { deleteUser(id: 7) { id } }" }),
    alias: await post({ query: "{ user(id: 7) { safe: email } }" }),
  };
  console.log(JSON.stringify(found));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
