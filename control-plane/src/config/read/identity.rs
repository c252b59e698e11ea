//! `identity`: whose tokens count.

use std::collections::BTreeSet;

use jsonwebtoken::Algorithm;

use super::super::{Identity, Issuer, reader::Reader, yaml::Node};

/// Algorithms a token may be signed with: signatures by a key only the issuer holds, never a MAC.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];
const DEFAULT_ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
pub(super) fn identity(r: &mut Reader, node: &Node) -> Option<Identity> {
    let fields = r.fields(node, "identity", &["issuers"])?;
    let node = r.required(&fields, "issuers")?;
    let items = r.list(node, "issuers")?;
    if items.is_empty() {
        r.problem(node.line, "`issuers` must name at least one issuer");
    }
    let mut seen = BTreeSet::new();
    let mut issuers = Vec::new();
    let mut complete = true;
    for item in items {
        let Some(issuer) = issuer(r, item) else {
            complete = false;
            continue;
        };
        if !seen.insert(issuer.issuer.clone()) {
            r.problem(item.line, format!("issuer `{}` comes twice", issuer.issuer));
        }
        issuers.push(issuer);
    }
    complete.then_some(Identity { issuers })
}

fn issuer(r: &mut Reader, node: &Node) -> Option<Issuer> {
    let known = [
        "issuer",
        "audience",
        "jwks_file",
        "ca",
        "algorithms",
        "groups_claim",
    ];
    let fields = r.fields(node, "an issuer", &known)?;
    let jwks_file = r.optional_path(&fields, "jwks_file");
    let name = r.required(&fields, "issuer").and_then(|node| {
        let name = r.text(node, "issuer")?.to_owned();
        issuer_name(r, node, &name, fields.get("jwks_file").is_some());
        Some(name)
    });
    let audience = r
        .required(&fields, "audience")
        .and_then(|node| r.text(node, "audience"));
    let ca = r.optional_path(&fields, "ca");
    let algorithms = match fields.get("algorithms") {
        Some(node) => algorithms(r, node),
        None => Some(DEFAULT_ALGORITHMS.to_vec()),
    };
    let groups_claim = match fields.get("groups_claim") {
        Some(node) => r.text(node, "groups_claim"),
        None => Some("groups"),
    };
    Some(Issuer {
        issuer: name?,
        audience: audience?.to_owned(),
        jwks_file: jwks_file?,
        ca: ca?,
        algorithms: algorithms?,
        groups_claim: groups_claim?.to_owned(),
    })
}

/// Keys come over this URL unless they come from a file, so it must be one nobody can listen in on.
fn issuer_name(r: &mut Reader, node: &Node, name: &str, has_file: bool) {
    if name.contains('|') || name.chars().any(char::is_control) {
        r.problem(
            node.line,
            "`issuer` must not contain `|` or control characters",
        );
    }
    if has_file {
        return;
    }
    let Ok(url) = reqwest::Url::parse(name) else {
        let message =
            format!("`issuer` must be a URL for discovery, not `{name}`; or add `jwks_file`");
        return r.problem(node.line, message);
    };
    if !crate::identity::is_private_channel(&url) {
        let message = format!("`issuer` must be https, or http on loopback, not `{name}`");
        r.problem(node.line, message);
    }
}

fn algorithms(r: &mut Reader, node: &Node) -> Option<Vec<Algorithm>> {
    let items = r.list(node, "algorithms")?;
    if items.is_empty() {
        r.problem(node.line, "`algorithms` must name at least one algorithm");
    }
    let expected = format!("one of {}", ALGORITHMS.map(|(name, _)| name).join(", "));
    r.each(items, |r, item| {
        r.parsed(item, "algorithms", &expected, |text| {
            let found = ALGORITHMS.iter().find(|(name, _)| *name == text);
            found.map(|(_, algorithm)| *algorithm)
        })
    })
}
