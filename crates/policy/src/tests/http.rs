//! Requests: routes, facts of the request, what cannot be read, labelled fields.

use expect_test::{Expect, expect};
use ostiary_operation::http::Head;

use super::{bundle, show, who};
use crate::{Bundle, Files};

const RESOURCES: &str = "
resources:
  crm:
    openapi: crm.json
    routes: ['/users/{id}/notes']
    graphql: [/graphql]
    grpc: [shop.v1.Orders]
";

const OPENAPI: &str = r#"{"openapi": "3.1.0", "paths": {
  "/users": {"summary": "people", "get": {"operationId": "listUsers"}, "post": {}},
  "/users/{id}": {"parameters": [], "get": {"operationId": "getUser"}, "delete": {}},
  "/refunds": {"post": {"operationId": "refund"}}
}}"#;

const POLICIES: &str = r#"
@id("reads") permit (principal in Group::"support", action in Action::"http:read", resource in Api::"crm");
@id("refunds") permit (principal, action == Action::"http:POST", resource == Route::"crm/refunds");
@id("big-refunds") @approval("dba") @reason("more than 100")
forbid (principal, action == Action::"http:POST", resource == Route::"crm/refunds")
unless { context.request.numbers.hasTag("amount") && context.request.numbers.getTag("amount") <= 100 };
@id("not-everyone") forbid (principal, action in Action::"http:read", resource)
when { context.request.query.hasTag("all") && context.request.query.getTag("all").contains("true") };
@id("not-the-boss") forbid (principal, action, resource == Route::"crm/users/{id}")
when { context.request.parameters.hasTag("id") && context.request.parameters.getTag("id") == "1" };
@id("no-lists") forbid (principal in Group::"intern", action, resource is Route)
when { context.request has operation && context.request.operation == "listUsers" };
@id("uploads") permit (principal, action in [Action::"http:PUT", Action::"http:unreadable"],
  resource == Route::"crm/users/{id}/notes");
@id("asks") permit (principal, action == Action::"graphql:query", resource in Route::"crm/graphql");
@id("gifts") permit (principal, action == Action::"graphql:mutation", resource == Field::"crm/graphql.gift")
when { context.request.numbers.hasTag("gift(value)") && context.request.numbers.getTag("gift(value)") <= 50 };
@id("calls") permit (principal, action in [Action::"grpc:call", Action::"http:unreadable"], resource in Service::"crm/shop.v1.Orders");
@id("no-cancels") forbid (principal, action == Action::"grpc:call", resource == Method::"crm/shop.v1.Orders/Cancel");
@id("all-of-live") permit (principal, action, resource == Route::"crm/users");
@id("unread-answers") permit (principal in Group::"support", action == Action::"http:unreadable",
  resource == Route::"crm/users/{id}/notes");
"#;

const LABELS: &str = "
labels: {pii.email: {strategy: redact}, pii.ssn: {strategy: hash}}
fields:
  - {field: $..email, label: pii.email}
  - {field: '$.users[*].ssn', label: pii.ssn, resource: crm, route: /users}
  - {field: $.other, label: pii.ssn, resource: elsewhere}
";

fn files() -> Files {
    [
        ("p.cedar", POLICIES),
        ("approvals.yaml", super::APPROVALS),
        ("labels.yaml", LABELS),
        ("resources.yaml", RESOURCES),
        ("crm.json", OPENAPI),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}

fn crm() -> ostiary_operation::Target {
    ostiary_operation::Target {
        resource: "crm".to_owned(),
        database: String::new(),
        role: String::new(),
    }
}

/// `METHOD target`, and a body after a space.
fn decide(bundle: &Bundle, groups: &str, request: &str, content_type: &str) -> String {
    let mut words = request.splitn(3, ' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let body = words.next().unwrap_or_default();
    let headers = [("content-type".to_owned(), content_type.to_owned())];
    let head = Head::read(method, target, &headers).unwrap();
    let routes = bundle.routes("crm").unwrap();
    match head.operation(body.as_bytes(), routes) {
        Ok(operation) => show(&bundle.decide(&who(groups), &crm(), &operation)),
        Err(refused) => format!("{}: {refused}", refused.status),
    }
}

#[track_caller]
fn check(groups: &str, requests: &[&str], expected: Expect) {
    let bundle = bundle(&files());
    let shown: Vec<String> = requests
        .iter()
        .map(|request| {
            let decision = decide(&bundle, groups, request, "application/json");
            format!("{request} -> {decision}\n")
        })
        .collect();
    expected.assert_eq(&shown.concat());
}

#[test]
fn requests_are_decided_by_route_and_facts() {
    check(
        "support",
        &[
            "GET /users",
            "GET /users?all=false",
            "GET /users?all=false&all=true",
            "GET /users/7",
            "GET /users/1",
            "GET /elsewhere",
            "DELETE /users/7",
            r#"POST /refunds {"amount":100}"#,
            r#"POST /refunds {"amount":100.01}"#,
            r#"POST /refunds {"amount":"1e9"}"#,
            r#"POST /refunds {"amount":-500}"#,
            r#"POST /refunds {"total":5}"#,
            r#"POST /refunds {"Amount":5}"#,
            "POST /refunds",
        ],
        expect![[r#"
            GET /users -> allow [all-of-live, reads]
            GET /users?all=false -> allow [all-of-live, reads]
            GET /users?all=false&all=true -> deny not-everyone: forbidden by policy [not-everyone]
            GET /users/7 -> allow [reads]
            GET /users/1 -> deny not-the-boss: forbidden by policy [not-the-boss]
            GET /elsewhere -> allow [reads]
            DELETE /users/7 -> deny default-deny: nothing permits `http:DELETE` on /users/{id} [default-deny]
            POST /refunds {"amount":100} -> allow [refunds]
            POST /refunds {"amount":100.01} -> approve dba: more than 100 [big-refunds]
            POST /refunds {"amount":"1e9"} -> approve dba: more than 100 [big-refunds]
            POST /refunds {"amount":-500} -> allow [refunds]
            POST /refunds {"total":5} -> approve dba: more than 100 [big-refunds]
            POST /refunds {"Amount":5} -> deny ambiguous-request: `Amount` is a field that policy asks for, in other letters [ambiguous-request]
            POST /refunds -> approve dba: more than 100 [big-refunds]
        "#]],
    );
}

#[test]
fn an_operation_of_the_document_is_known_by_its_name() {
    check(
        "support intern",
        &["GET /users", "GET /users/7"],
        expect![[r#"
            GET /users -> deny no-lists: forbidden by policy [no-lists]
            GET /users/7 -> allow [reads]
        "#]],
    );
}

#[test]
fn only_a_permit_that_names_it_passes_what_cannot_be_read() {
    let bundle = bundle(&files());
    let shown = |request: &str| decide(&bundle, "support", request, "image/png");
    expect!["allow [unread-answers, uploads]"].assert_eq(&shown("PUT /users/7/notes x"));
    expect![
        "deny default-deny: could not be read: its body is neither JSON nor a form [default-deny]"
    ]
    .assert_eq(&shown("POST /refunds x"));
}

#[test]
fn what_graphql_and_grpc_run_is_decided_by_name() {
    let graphql =
        |query: &str| format!(r#"POST /graphql {{"query":"{query}","variables":{{"v":20}}}}"#);
    let requests = [
        graphql("{ me { id } }"),
        graphql("mutation { gift(value: 20) { id } }"),
        graphql("mutation { gift(value: 2000) { id } }"),
        graphql("mutation($v: Int) { gift(value: $v) { id } }"),
        graphql("mutation($v: Int) { gift(value: 2000) { id } }"),
        graphql("mutation { gift: refund(value: 20) { id } }"),
        graphql("{ me { id } } mutation B { refund }"),
        r#"POST /shop.v1.Orders/List {"id":7}"#.to_owned(),
        r#"POST /shop.v1.Orders/Cancel {"id":7}"#.to_owned(),
    ];
    let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
    check(
        "",
        &requests,
        expect![[r#"
        POST /graphql {"query":"{ me { id } }","variables":{"v":20}} -> allow [asks]
        POST /graphql {"query":"mutation { gift(value: 20) { id } }","variables":{"v":20}} -> allow [gifts]
        POST /graphql {"query":"mutation { gift(value: 2000) { id } }","variables":{"v":20}} -> deny default-deny: nothing permits `graphql:mutation` on /graphql.gift [default-deny]
        POST /graphql {"query":"mutation($v: Int) { gift(value: $v) { id } }","variables":{"v":20}} -> allow [gifts]
        POST /graphql {"query":"mutation($v: Int) { gift(value: 2000) { id } }","variables":{"v":20}} -> deny default-deny: nothing permits `graphql:mutation` on /graphql.gift [default-deny]
        POST /graphql {"query":"mutation { gift: refund(value: 20) { id } }","variables":{"v":20}} -> deny default-deny: nothing permits `graphql:mutation` on /graphql.refund [default-deny]
        POST /graphql {"query":"{ me { id } } mutation B { refund }","variables":{"v":20}} -> deny default-deny: nothing permits `http:POST` on /graphql [default-deny]
        POST /shop.v1.Orders/List {"id":7} -> allow [calls]
        POST /shop.v1.Orders/Cancel {"id":7} -> deny no-cancels: forbidden by policy [no-cancels]
    "#]],
    );
}

#[test]
fn only_a_permit_that_names_it_changes_protocols() {
    let bundle = bundle(&files());
    let upgrade = |route: &str| {
        let operation = super::notation::operation(&format!("http:upgrade {route}"));
        show(&bundle.decide(&who("support"), &crm(), &operation))
    };
    expect!["deny default-deny: nothing permits `http:upgrade` on /users [default-deny]"]
        .assert_eq(&upgrade("/users"));
}

#[test]
fn fields_are_labelled_by_resource_and_route() {
    let bundle = bundle(&files());
    let masks = bundle.masks(&who("support"), &crm());
    let on = |route: Option<&str>| {
        let fields = masks.fields.iter().filter(|(field, _)| field.is_on(route));
        let paths: Vec<String> = fields.map(|(field, _)| field.path.to_string()).collect();
        paths.join(" ")
    };
    assert_eq!(on(Some("/users")), "$..email $.users[*].ssn");
    assert_eq!(on(Some("/users/{id}")), "$..email");
    assert_eq!(on(None), "$..email");
}

#[test]
fn what_would_never_hold_is_a_mistake() {
    let mut files = files();
    files.insert(
        "p.cedar".to_owned(),
        r#"@id("p") permit (principal, action, resource == Route::"crm/user");
@id("q") permit (principal, action, resource == Field::"crm/graph.user");
@id("r") permit (principal, action, resource in Service::"crm/shop.v1.Order");
@id("s") permit (principal, action, resource == Method::"crm/shop.v1.Order/List");"#
            .to_owned(),
    );
    files.insert(
        "labels.yaml".to_owned(),
        "labels: {l: {strategy: redact}}\nfields:\n- {field: email, label: l}\n\
         - {field: $.email, label: l, route: /user}\n"
            .to_owned(),
    );
    files.insert(
        "resources.yaml".to_owned(),
        "resources: {crm: {routes: [/users, '/users/{id}', '/users/{name}', 'users'], openapi: none.json,
          graphql: [/graphql], grpc: [shop.v1.Orders, /shop]}}"
            .to_owned(),
    );
    let problems = Bundle::parse(&files).unwrap_err();
    let shown: Vec<String> = problems.iter().map(|it| format!("{it}\n")).collect();
    expect![[r#"
        crm.json:0: unknown file; known: *.cedar, labels.yaml, approvals.yaml, resources.yaml
        labels.yaml:0: a field is labelled on `/user`, which is no route; did you mean `/users`?
        labels.yaml:3: `email` is no path to a field: write it like $.user.email, $.items[*].card, $."odd name" or $..ssn
        p.cedar:1: `Route::"crm/user"` is no route of resources.yaml; did you mean `crm/users`?
        p.cedar:2: `Field::"crm/graph.user"` is no field of a `graphql` route of resources.yaml: an id is "resource/route.field"
        p.cedar:3: `Service::"crm/shop.v1.Order"` is of no `grpc` service of resources.yaml; did you mean `crm/shop.v1.Orders`?
        p.cedar:4: `Method::"crm/shop.v1.Order/List"` is of no `grpc` service of resources.yaml; did you mean `crm/shop.v1.Orders`?
        resources.yaml:1: `/users/{name}` takes the same paths as `/users/{id}`
        resources.yaml:1: `users` is no path template: write it like /users/{id}
        resources.yaml:1: the bundle has no file `none.json`; known: approvals.yaml, crm.json, labels.yaml, p.cedar, resources.yaml
        resources.yaml:2: `/shop` is no gRPC service: write it like shop.v1.Orders
    "#]].assert_eq(&shown.concat());
}
