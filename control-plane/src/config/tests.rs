use std::path::Path;

use expect_test::{Expect, expect};

use super::{Config, Credential, Secret, UpstreamTls};

/// Loads `text` from `ostiary.yaml` in a directory of its own; problems come with bare file names.
fn load(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ostiary.yaml");
    std::fs::write(&path, text).unwrap();
    Config::load(&path).map_err(|problems| {
        let prefix = format!("{}/", dir.path().display());
        let lines = problems.iter().map(|problem| format!("{problem}\n"));
        lines.collect::<String>().replace(&prefix, "")
    })
}

#[track_caller]
fn refuses(text: &str, expected: Expect) {
    expected.assert_eq(&load(text).unwrap_err());
}

const FULL: &str = "\
state_dir: ./state
control_plane:
  listen: 0.0.0.0:7700
  tls: {cert: server.pem, key: server.key}
identity:
  issuers:
    - issuer: http://127.0.0.1:7701
      audience: ostiary
      algorithms: [RS256, EdDSA]
roles: {admin: [platform], reviewer: [dba], auditor: [security]}
policy: ./policy
envoy: {admin: 127.0.0.1:9901, concurrency: 2}
resources:
  - name: shop
    kind: postgres
    listen: 127.0.0.1:6432
    address: '[::1]:5432'
    role: shop_app
    password: {file: shop.password}
    tls: verify-full
";

#[test]
fn reads_every_key_with_paths_beside_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ostiary.yaml");
    std::fs::write(&path, FULL).unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(config.state_dir, dir.path().join("./state"));
    assert_eq!(
        config.control_plane.tls.unwrap().key,
        dir.path().join("server.key")
    );
    assert_eq!(config.roles.reviewer, ["dba"]);
    assert_eq!(config.envoy.concurrency, Some(2));
    let shop = config.resources.first().unwrap();
    assert_eq!(shop.address.to_string(), "[::1]:5432");
    assert_eq!(shop.tls, UpstreamTls::VerifyFull);
    assert_eq!(
        shop.password,
        Some(Secret::File(dir.path().join("shop.password")))
    );
}

#[test]
fn defaults_need_an_issuer_and_a_resource_only() {
    let text = "\
identity: {issuers: [{issuer: 'https://id.example', audience: ostiary}]}
resources: [{name: a, kind: postgres, listen: '127.0.0.1:0', address: 'db:1', role: r}]
";
    let config = load(text).unwrap();
    assert_eq!(config.control_plane.listen.to_string(), "127.0.0.1:7700");
    let issuer = config.identity.issuers.first().unwrap();
    assert_eq!(issuer.groups_claim, "groups");
    assert_eq!(format!("{:?}", issuer.algorithms), "[RS256, ES256, EdDSA]");
}

#[test]
fn lists_every_problem_with_its_line() {
    refuses(
        "\
state_dri: ./state
control_plane:
  listen: 0.0.0.0:7700
identity:
  issuers:
    - issuer: http://id.example
      algorithms: [HS256, none]
roles: {admin: platform}
envoy: {admin: 0.0.0.0:9901, concurrency: 0}
resources:
  - name: Shop
    kind: mysql
    listen: localhost
    address: db:0
    password: hunter2
    tls: on
  - name: shop
    name: shop
",
        expect![[r#"
            ostiary.yaml:1: unknown key `state_dri` in ostiary.yaml; did you mean `state_dir`?
            ostiary.yaml:3: control_plane listens on 0.0.0.0:7700, which is not loopback: tokens would pass in plaintext; add `tls` with `cert` and `key`
            ostiary.yaml:6: `issuer` must be https, or http on loopback, not `http://id.example`
            ostiary.yaml:6: an issuer needs `audience`
            ostiary.yaml:7: `algorithms` must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, not `HS256`
            ostiary.yaml:7: `algorithms` must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA, not `none`
            ostiary.yaml:8: `admin` must be a list
            ostiary.yaml:9: `admin` must be a loopback address: it has no authentication
            ostiary.yaml:9: `concurrency` must be a number from 1 to 1024, not `0`
            ostiary.yaml:11: `name` must be 1 to 63 lower-case letters, digits, `-` and `_`, not `Shop`
            ostiary.yaml:11: a resource needs `role`
            ostiary.yaml:12: `kind` must be postgres, http or kubernetes, not `mysql`
            ostiary.yaml:13: `listen` must be an IP address with a port, such as 127.0.0.1:7700, not `localhost`
            ostiary.yaml:14: `address` must be a host and a port, such as db.internal:5432, not `db:0`
            ostiary.yaml:15: `password` must be {env: NAME} or {file: path}: a secret is not written here
            ostiary.yaml:16: `tls` must be prefer, require, verify-full or disable, not `on`
            ostiary.yaml:17: a resource needs `kind`
            ostiary.yaml:17: a resource needs `listen`
            ostiary.yaml:17: a resource needs `address`
            ostiary.yaml:17: a resource needs `role`
            ostiary.yaml:18: `name` comes twice in a resource
        "#]],
    );
}

#[test]
fn refuses_what_is_not_one_plain_mapping() {
    for (text, expected) in [
        ("", "ostiary.yaml:1: ostiary.yaml must be a mapping\n"),
        ("- a\n", "ostiary.yaml:1: ostiary.yaml must be a mapping\n"),
        (
            "a: &x 1\nb: *x\n",
            "ostiary.yaml:1: anchors and aliases are not read here\n",
        ),
        ("a: !!str 1\n", "ostiary.yaml:1: tags are not read here\n"),
    ] {
        assert_eq!(load(text).unwrap_err(), expected, "{text:?}");
    }
    assert!(load("a: [\n").unwrap_err().contains("not YAML"));
}

#[test]
fn refuses_a_second_document() {
    refuses(
        "a: 1\n---\nb: 2\n",
        expect![[r#"
            ostiary.yaml:2: a second document in the file
        "#]],
    );
}

#[test]
fn a_missing_file_is_one_problem() {
    let problems = Config::load(Path::new("/does/not/exist.yaml")).unwrap_err();
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_secret_from_a_file_loses_one_line_break() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2 \r\n").unwrap();
    let secret = Secret::File(file.path().to_owned());
    assert_eq!(secret.read().unwrap(), "hunter2 ");
}

#[test]
fn an_http_resource_has_a_credential_and_verifies_its_target() {
    let text = "\
identity: {issuers: [{issuer: 'https://id.example', audience: ostiary}]}
resources:
  - {name: a, kind: http, listen: '127.0.0.1:1', address: 'api:443', credential: {bearer: {file: t}}}
  - {name: b, kind: http, listen: '127.0.0.1:2', address: 'api:443', tls: disable,
     credential: {basic: {user: u, password: {env: P}}}}
  - {name: c, kind: http, listen: '127.0.0.1:3', address: 'api:443',
     credential: {header: {name: X-Api-Key, value: {env: K}}}, client_cert: c.pem, client_key: k.pem}
  - {name: d, kind: http, listen: '127.0.0.1:4', address: 'api:443', credential: {command: [gcloud, token]}}
";
    let config = load(text).unwrap();
    let [a, b, c, d] = config.resources.as_slice() else {
        panic!("{config:?}")
    };
    assert_eq!(
        (a.tls, b.tls),
        (UpstreamTls::VerifyFull, UpstreamTls::Disable)
    );
    assert!(matches!(
        &a.credential,
        Some(Credential::Bearer(Secret::File(_)))
    ));
    assert!(matches!(&b.credential, Some(Credential::Basic { user, .. }) if user == "u"));
    assert!(matches!(&c.credential, Some(Credential::Header { name, .. }) if name == "x-api-key"));
    assert!(c.client.is_some());
    assert!(matches!(&d.credential, Some(Credential::Command(words)) if words.len() == 2));
}

#[test]
fn keys_of_another_kind_are_mistakes() {
    refuses(
        "\
identity: {issuers: [{issuer: 'https://id.example', audience: ostiary}]}
resources:
  - name: a
    kind: http
    listen: 127.0.0.1:1
    address: api:443
    role: r
    password: {env: P}
    tls: prefer
    client_cert: c.pem
  - name: b
    kind: http
    listen: 127.0.0.1:2
    address: api:443
    credential: {bearer: {env: A}, header: {name: x, value: {env: B}}}
  - name: c
    kind: http
    listen: 127.0.0.1:3
    address: api:443
    credential: {header: {name: Host, value: hunter2}}
  - name: d
    kind: postgres
    listen: 127.0.0.1:4
    address: db:5432
    role: r
    credential: {command: []}
  - name: e
    kind: http
    listen: 127.0.0.1:5
    address: api:443
    impersonate: {}
  - name: f
    kind: kubernetes
    listen: 127.0.0.1:6
    address: api:443
    impersonate: {user_prefix: 'a b', group_prefix: x}
",
        expect![[r#"
            ostiary.yaml:7: `role` is for resources of kind postgres
            ostiary.yaml:8: `password` is for resources of kind postgres
            ostiary.yaml:9: `tls` must be require, verify-full or disable, not `prefer`
            ostiary.yaml:10: `client_cert` and `client_key` come together
            ostiary.yaml:15: credential needs exactly one of `bearer`, `basic`, `header` and `command`
            ostiary.yaml:20: `name` must be the name of a header, such as x-api-key, not `Host`
            ostiary.yaml:20: `value` must be {env: NAME} or {file: path}: a secret is not written here
            ostiary.yaml:26: `credential` is for resources of kind http or kubernetes
            ostiary.yaml:26: `command` names a program and its arguments
            ostiary.yaml:31: `impersonate` is for resources of kind kubernetes
            ostiary.yaml:36: unknown key `group_prefix` in impersonate; did you mean `groups_prefix`?
            ostiary.yaml:36: `user_prefix` must be at most 64 letters, digits and signs, without a space, not `a b`
        "#]],
    );
}
