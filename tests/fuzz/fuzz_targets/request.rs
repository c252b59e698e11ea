//! Requests: no panic; a path has one form, and every request that is read touches something.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ostiary_operation::http::{Head, Path, Routes};

fuzz_target!(|bytes: &[u8]| {
    let [kind, rest @ ..] = bytes else { return };
    let at = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len());
    let (target, body) = rest.split_at(at);
    let body = body.get(1..).unwrap_or_default();
    let Ok(target) = std::str::from_utf8(target) else {
        return;
    };
    let path = target.split('?').next().unwrap_or_default();
    if let Ok(path) = Path::parse(path) {
        for segment in path.segments() {
            let odd = |c: char| c.is_control() || "/\\%;?#".contains(c);
            assert!(
                !segment.contains(odd) && segment != "." && segment != "..",
                "{path:?}"
            );
        }
        let inner = path.segments().len().saturating_sub(1);
        assert!(
            path.segments().iter().take(inner).all(|it| !it.is_empty()),
            "{path:?}"
        );
    }
    let mut routes = Routes::default();
    for template in ["/users/{id}", "/users/me", "/files/{name}.json"] {
        routes.add(template).expect("a template");
    }
    routes.add_graphql("/graphql").expect("a template");
    assert!(routes.add_service("shop.v1.Orders"));
    let method = ["GET", "POST", "PUT", "HEAD"][usize::from(kind & 3)];
    let content = [
        "application/json",
        "application/x-www-form-urlencoded",
        "application/grpc",
        "text/plain",
    ];
    let content = content[usize::from(kind >> 2 & 3)];
    let headers = [("content-type".to_owned(), content.to_owned())];
    let Ok(head) = Head::read(method, target, &headers) else {
        return;
    };
    if let Ok(operation) = head.operation(body, &routes) {
        assert!(!operation.accesses.is_empty(), "a request touches nothing");
        let request = operation.facts.request.expect("facts of a request");
        assert_eq!(request.has_body, !body.is_empty());
    }
});
