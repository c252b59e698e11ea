//! Tables of requests and what is made of them.

use expect_test::{Expect, expect};

use super::*;

fn routes(templates: &[&str]) -> Routes {
    let mut routes = Routes::default();
    for template in templates {
        routes.add(template).unwrap();
    }
    routes
}

/// "route {parameters}", or why the path is refused.
fn path(templates: &[&str], raw: &str) -> String {
    let path = match Path::parse(raw) {
        Ok(path) => path,
        Err(refused) => return format!("{}: {}", refused.status, refused.reason),
    };
    match routes(templates).find(&path) {
        Found::Route(route, parameters) => format!("{} {parameters:?}", route.template()),
        Found::Method(service, name) => format!("method {service} {name}"),
        Found::Otherwise(other) => format!("otherwise {other}"),
        Found::Nothing => format!("nothing {}", path.text()),
    }
}

#[test]
fn a_path_has_one_form_or_none() {
    let mut table = String::new();
    for raw in include_str!("../../testdata/paths.txt").lines() {
        table.push_str(&format!("{raw:<28} {}\n", path(&["/users/{id}"], raw)));
    }
    // What lines cannot hold.
    for raw in ["/a\nb", "/a\u{0}b", "/caf\u{e9}", "/a b", ""] {
        let found = path(&[], raw);
        table.push_str(&format!("{:<28} {found}\n", raw.escape_debug().to_string()));
    }
    expect_test::expect_file!["../../testdata/paths.out"].assert_eq(&table);
}

#[test]
fn the_most_specific_route_is_taken_and_other_spellings_of_it_are_told() {
    let templates = [
        "/",
        "/users",
        "/users/{id}",
        "/users/me",
        "/users/{id}/orders",
        "/{kind}/7/orders",
        "/files/{name}.json",
        "/files/{name}",
        "/v1/users/{id}:archive",
        "/django/",
    ];
    for (raw, expected) in [
        ("/", "/ {}"),
        ("/users", "/users {}"),
        ("/users/7", r#"/users/{id} {"id": "7"}"#),
        ("/users/a%20b", r#"/users/{id} {"id": "a b"}"#),
        ("/users/me", "/users/me {}"),
        ("/users/7/orders", r#"/users/{id}/orders {"id": "7"}"#),
        ("/teams/7/orders", r#"/{kind}/7/orders {"kind": "teams"}"#),
        ("/files/a.json", r#"/files/{name}.json {"name": "a"}"#),
        ("/files/a.txt", r#"/files/{name} {"name": "a.txt"}"#),
        (
            "/v1/users/7:archive",
            r#"/v1/users/{id}:archive {"id": "7"}"#,
        ),
        ("/django/", "/django/ {}"),
        ("/Users", "otherwise /users"),
        ("/users/", "otherwise /users"),
        ("/USERS/7", "otherwise /users/{id}"),
        ("/users/7/", "otherwise /users/{id}"),
        ("/users/ME", "otherwise /users/me"),
        ("/files/a.JSON", "otherwise /files/{name}.json"),
        ("/django", "otherwise /django/"),
        ("/admin", "nothing /admin"),
    ] {
        assert_eq!(path(&templates, raw), expected, "{raw}");
    }
}

#[test]
fn templates_that_cannot_be_told_apart_are_mistakes() {
    let mut routes = routes(&["/users/{id}"]);
    for (template, expected) in [
        ("/users/{id}", Ok(())),
        (
            "/users/{name}",
            Err("`/users/{name}` takes the same paths as `/users/{id}`"),
        ),
        (
            "/a/{x}/{x}",
            Err("`/a/{x}/{x}` has the parameter `x` twice"),
        ),
        (
            "users",
            Err("`users` is no path template: write it like /users/{id}"),
        ),
        (
            "/a//b",
            Err("`/a//b` is no path template: write it like /users/{id}"),
        ),
        (
            "/a/{x",
            Err("`/a/{x` is no path template: write it like /users/{id}"),
        ),
        (
            "/a/{x}{y}",
            Err("`/a/{x}{y}` is no path template: write it like /users/{id}"),
        ),
        (
            "/a/..",
            Err("`/a/..` is no path template: write it like /users/{id}"),
        ),
        (
            "/a?b",
            Err("`/a?b` is no path template: write it like /users/{id}"),
        ),
    ] {
        let added = routes.add(template).map_err(|error| error.to_string());
        assert_eq!(added, expected.map_err(str::to_owned), "{template}");
    }
}

/// A request in one line: method, target, content type, body.
#[track_caller]
fn check(request: &str, expected: Expect) {
    expected.assert_eq(&show(request));
}

fn show(request: &str) -> String {
    let mut parts = request.splitn(4, ' ');
    let method = parts.next().unwrap();
    let target = parts.next().unwrap();
    let headers: Vec<(String, String)> = parts
        .next()
        .filter(|kind| *kind != "-")
        .map(|kind| ("content-type".to_owned(), kind.to_owned()))
        .into_iter()
        .collect();
    let body = parts.next().unwrap_or_default();
    let mut routes = routes(&["/users/{id}"]);
    routes.add_graphql("/graphql").unwrap();
    assert!(routes.add_service("shop.v1.Orders"));
    let read = Head::read(method, target, &headers)
        .and_then(|head| head.operation(body.as_bytes(), &routes));
    match read {
        Err(refused) => format!("{}: {}", refused.status, refused.reason),
        Ok(operation) => {
            let facts = operation.facts.request.unwrap();
            let accesses = operation.accesses.iter();
            let accesses = accesses.map(|it| format!("{} {}", it.verb, it.object));
            let mut shown = accesses.collect::<Vec<_>>().join(", ");
            if let Some(name) = &facts.operation {
                shown.push_str(&format!(" called {name}"));
            }
            for (name, value) in [
                ("aliases", format!("{:?}", facts.aliases)),
                ("query", format!("{:?}", facts.query)),
                ("body", format!("{:?}", facts.body)),
                ("numbers", format!("{:?}", facts.numbers)),
            ] {
                if value != "{}" {
                    shown.push_str(&format!(" {name} {value}"));
                }
            }
            if let Some(why) = operation.facts.unreadable {
                shown.push_str(&format!(" unreadable: {why}"));
            }
            shown
        }
    }
}

#[test]
fn methods_and_queries() {
    check("GET /users/7", expect!["http:GET /users/{id}"]);
    check("DELETE /users/7", expect!["http:DELETE /users/{id}"]);
    check(
        "get /users/7",
        expect!["501: the gateway does not know this method"],
    );
    check(
        "TRACE /",
        expect!["501: the gateway does not know this method"],
    );
    check(
        "CONNECT /",
        expect!["501: the gateway does not know this method"],
    );
    check(
        "GET /x?a=1&a=2&b&c=%26+",
        expect![[r#"http:GET the api query {"a": {"1", "2"}, "b": {""}, "c": {"& "}}"#]],
    );
    check(
        "GET /x?a=1;b=2",
        expect!["400: the query holds `;`, at which some servers cut"],
    );
    check(
        "GET /x?a=%zz",
        expect!["400: the query holds a broken escape"],
    );
    check(
        "GET /x?a=%ff",
        expect!["400: the query is not UTF-8 when decoded"],
    );
    check(
        "GET /x?a=%00",
        expect!["400: the query holds an escaped NUL"],
    );
    check(
        "POST /x?_method=DELETE",
        expect!["400: `_method` would override the method"],
    );
}

#[test]
fn bodies_have_one_reading_or_are_refused() {
    check(
        r#"POST /x application/json {"a":{"b":[1,{"c":"x"}]},"d":null,"e.f":true}"#,
        expect![[
            r#"http:POST the api body {"\"e.f\"": {"true"}, "a.b[]": {"1"}, "a.b[].c": {"x"}, "d": {"null"}} numbers {"a.b[]": 1}"#
        ]],
    );
    check(
        r#"POST /x application/vnd.api+json;charset=UTF-8 {"n":[-7,3,100.5,1e3,"12","0x10"]}"#,
        expect![[
            r#"http:POST the api body {"n[]": {"-7", "0x10", "100.5", "1000", "12", "3"}} numbers {"n[]": 1000}"#
        ]],
    );
    check(
        "POST /x application/x-www-form-urlencoded a=1&a=x&b=%C3%A9",
        expect![[r#"http:POST the api body {"a": {"1", "x"}, "b": {"é"}} numbers {"a": 1}"#]],
    );
    for (body, expected) in [
        (
            r#"{"a":1,"a":2}"#,
            "400: the body has one key twice in an object",
        ),
        (
            r#"{"a":1,"A":2}"#,
            "400: the body has one key twice in an object",
        ),
        (
            r#"{"a":1,"\u0061":2}"#,
            "400: the body has one key twice in an object",
        ),
        (r#"{"a":"\u0000"}"#, "400: the body holds a NUL character"),
        (r#"{"a":"\ud800"}"#, ""),
        (r#"{"a":1}{"b":2}"#, ""),
        (r#"{"a":NaN}"#, ""),
        (r#"{"a":1e400}"#, ""),
        (r#"{"a":01}"#, ""),
        (r#"{"a":1,}"#, ""),
        (r#"{'a':1}"#, ""),
        ("{\"a\":1}//x", ""),
        ("\u{feff}{}", ""),
        ("{\"a\":\"\t\"}", ""),
    ] {
        let shown = show(&format!("POST /x application/json {body}"));
        match expected {
            "" => assert!(
                shown.starts_with("400: the body is not the JSON"),
                "{body}: {shown}"
            ),
            expected => assert_eq!(shown, expected, "{body}"),
        }
    }
    let deep = format!("POST /x application/json {}", "[".repeat(10_000));
    check(&deep, expect!["400: the body is more than 64 levels deep"]);
    let wide = format!("POST /x application/json [{}1]", "1,".repeat(10_000));
    check(&wide, expect!["400: the body has more than 10000 values"]);
    let long = format!(r#"POST /x application/json {{"{}":1}}"#, "k".repeat(600));
    check(
        &long,
        expect!["400: the body has a name, or nested names, over 512 bytes"],
    );
    check(
        r#"POST /x application/x-www-form-urlencoded {"amount":1}"#,
        expect!["400: the body is not the form it is said to be"],
    );
}

#[test]
fn graphql_and_grpc_are_known_by_what_they_run() {
    let mut table = String::new();
    for request in include_str!("../../testdata/graphql.txt").lines() {
        let shown = show(request);
        // The body itself is in the facts, too.
        let shown = match shown.find("\"query\": {") {
            Some(_) => without_query(&shown),
            None => shown,
        };
        table.push_str(&format!("{request}\n    {shown}\n"));
    }
    expect_test::expect_file!["../../testdata/graphql.out"].assert_eq(&table);
}

fn without_query(shown: &str) -> String {
    let mut kept = shown.to_owned();
    while let Some(at) = kept.find("\"query\": {\"") {
        let mut end = at + "\"query\": {\"".len();
        let bytes = kept.as_bytes();
        while bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        kept.replace_range(at..end + 2, "query");
    }
    kept
}

#[test]
fn a_document_is_bounded() {
    let query = |text: &str| {
        show(&format!(
            r#"POST /graphql application/json {{"query":"{text}"}}"#
        ))
    };
    for text in [
        "{a".repeat(10_000),
        format!("{{a(x:{}", "[".repeat(10_000)),
        "{a}".repeat(10_000),
        format!("{{ a{}{} }}", "{a".repeat(70), "}".repeat(70)),
        format!("query($v:{}Int) {{ a }}", "[".repeat(10_000)),
    ] {
        let shown = query(&text);
        assert!(
            shown.ends_with("unreadable: its query is not GraphQL, or too long or deep"),
            "{shown}"
        );
    }
    let many = "a(x:$v) ".repeat(2_000);
    let long = "x".repeat(10_000);
    let shown = show(&format!(
        r#"POST /graphql application/json {{"query":"query($v:String){{{many}}}","variables":{{"v":"{long}"}}}}"#
    ));
    let end = shown.rsplit('}').next().unwrap_or_default();
    assert_eq!(end, " unreadable: its arguments are too many or too long");
    let batch = vec![r#"{"query":"{a}"}"#; 51].join(",");
    let shown = show(&format!("POST /graphql application/json [{batch}]"));
    assert!(
        shown.ends_with("unreadable: a batch has at most 50 operations"),
        "{shown}"
    );
}

#[test]
fn what_is_not_read_says_so() {
    for (request, reason) in [
        ("POST /x - {}", "its body has no content type"),
        (
            "POST /x text/plain {}",
            "its body is neither JSON nor a form",
        ),
        (
            "POST /x multipart/form-data;boundary=x --x",
            "its body is neither JSON nor a form",
        ),
        (
            "POST /x application/json;charset=utf-16 {}",
            "its body is in a character set other than UTF-8",
        ),
    ] {
        let shown = show(request);
        assert!(shown.ends_with(&format!("unreadable: {reason}")), "{shown}");
    }
    check("POST /x text/plain", expect!["http:POST the api"]);
}

#[test]
fn numbers_are_never_nearer_to_zero_than_they_were() {
    for (text, expected) in [
        ("0.5", 1),
        ("-0.5", -1),
        ("1e3", 1000),
        ("9223372036854775807", i64::MAX),
        ("9223372036854775808", i64::MAX),
        ("1e300", i64::MAX),
        ("-1e300", i64::MIN),
        ("-0", 0),
        ("9007199254740993", 9_007_199_254_740_993),
    ] {
        let head = Head::read(
            "POST",
            "/",
            &[("content-type".to_owned(), "application/json".to_owned())],
        )
        .unwrap();
        let body = format!(r#"{{"n":{text}}}"#);
        let operation = head.operation(body.as_bytes(), &Routes::default()).unwrap();
        assert_eq!(
            operation.facts.request.unwrap().numbers["n"],
            expected,
            "{text}"
        );
    }
}

#[test]
fn headers_that_change_the_request_are_refused() {
    let head = |headers: &[(&str, &str)]| {
        let owned: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match Head::read("GET", "/", &owned) {
            Ok(_) => "ok".to_owned(),
            Err(refused) => format!("{}: {}", refused.status, refused.reason),
        }
    };
    assert_eq!(head(&[("accept", "*/*"), ("x-request-id", "7")]), "ok");
    assert_eq!(
        head(&[("content-length", "3"), ("transfer-encoding", "chunked")]),
        "ok"
    );
    for name in ["x-http-method-override", "x-original-url"] {
        let shown = head(&[(name, "x")]);
        assert!(shown.starts_with("400: the header"), "{shown}");
    }
    assert!(head(&[("content-length", "1"), ("content-length", "1")]).starts_with("400"));
    assert!(head(&[("transfer-encoding", "gzip, chunked")]).starts_with("400"));
    assert!(head(&[("x_original_url", "/")]).starts_with("400"));
    assert!(head(&[("content-type", "a/b"), ("content-type", "c/d")]).starts_with("400"));
    for name in [
        "authorization",
        "x-forwarded-host",
        "x-envoy-original-path",
        "range",
        "cookie",
    ] {
        assert_eq!(fate(name), Fate::Drop, "{name}");
    }
    assert_eq!(fate("accept"), Fate::Pass);
}

#[test]
fn websocket_is_asked_for_in_one_form() {
    let whole = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let read = |method: &str, left_out: &str, more: &[(&str, &str)]| {
        let headers: Vec<(String, String)> = whole
            .iter()
            .filter(|(name, _)| *name != left_out)
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        match Head::read(method, "/users/7", &headers) {
            Ok(head) => {
                let operation = head.operation(b"", &routes(&["/users/{id}"])).unwrap();
                let access = operation.accesses.first().unwrap();
                format!("{} {}", access.verb, access.object)
            }
            Err(refused) => refused.reason,
        }
    };
    assert_eq!(read("GET", "", &[]), "http:upgrade /users/{id}");
    assert_eq!(read("GET", "upgrade", &[]), "http:GET /users/{id}");
    let broken = "the request for WebSocket is not a whole one";
    for name in ["connection", "sec-websocket-version", "sec-websocket-key"] {
        assert_eq!(read("GET", name, &[]), broken, "{name}");
    }
    assert_eq!(read("POST", "", &[]), broken);
    assert_eq!(read("GET", "", &[("content-length", "5")]), broken);
    assert_eq!(read("GET", "", &[("transfer-encoding", "chunked")]), broken);
    assert_eq!(read("GET", "", &[("sec-websocket-key", "again")]), broken);
    let other = "of protocols the gateway changes to WebSocket alone";
    assert_eq!(read("GET", "upgrade", &[("upgrade", "h2c")]), other);
    assert_eq!(read("GET", "", &[("upgrade", "websocket")]), other);
}
