//! No two objects have one id, and every request is one the schema knows.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Entities, Request};
use ostiary_operation::{Access, Group, Object, Operation, Protocol, Verb};

use super::{bundle, files, notation, shop, show, who};
use crate::{
    entities::Vocabulary,
    labels::Labels,
    mentions::Mentions,
    schema::{schema, schema_text},
};

fn relation(schema: Option<&str>, name: &str) -> Object {
    Object::Relation {
        schema: schema.map(str::to_owned),
        name: name.to_owned(),
    }
}

#[test]
fn dots_slashes_and_percent_signs_in_names_collide_with_nothing() {
    let objects = [
        relation(Some("a.b"), "c"),
        relation(Some("a"), "b.c"),
        relation(Some("a%2Eb"), "c"),
        relation(Some("a/b"), "c"),
        relation(Some("a%2Fb"), "c"),
        relation(Some("?"), "c"),
        relation(Some("%3F"), "c"),
        relation(None, "c"),
        relation(Some("public"), "c"),
    ];
    let vocabulary = Vocabulary::new().unwrap();
    let mut seen = BTreeMap::new();
    for object in objects {
        let operation = Operation {
            accesses: BTreeSet::from([Access {
                verb: Verb::Select,
                object: object.clone(),
            }]),
            ..notation::operation("sql:select x")
        };
        let mentions = Mentions::default();
        let case = vocabulary
            .case(&who(""), &shop(), &[], &operation, &mentions)
            .unwrap();
        for question in case.questions {
            let id = question.resource.to_string();
            // An unqualified name stands for `public` too, on purpose.
            if object != relation(None, "c") || id.contains('?') {
                let other = seen.insert(id.clone(), object.clone());
                assert_eq!(other, None, "{id}");
            }
        }
    }
    assert_eq!(
        seen.into_keys().collect::<Vec<_>>(),
        [
            "Table::\"shop/db/%253F.c\"",
            "Table::\"shop/db/%3F.c\"",
            "Table::\"shop/db/?.c\"",
            "Table::\"shop/db/a%252Eb.c\"",
            "Table::\"shop/db/a%252Fb.c\"",
            "Table::\"shop/db/a%2Eb.c\"",
            "Table::\"shop/db/a%2Fb.c\"",
            "Table::\"shop/db/a.b.c\"",
            "Table::\"shop/db/public.c\"",
        ]
    );
}

#[test]
fn a_database_cannot_be_named_into_another_resource() {
    let policies = r#"@id("p") permit (principal, action, resource in Database::"shop/db");"#;
    let mut target = shop();
    target.resource = "shop/db".to_owned();
    target.database = "public".to_owned();
    let operation = notation::operation("sql:select public.users");
    let decision = bundle(&files(policies)).decide(&who(""), &target, &operation);
    assert!(show(&decision).starts_with("deny default-deny"));
}

#[test]
fn every_verb_meets_every_object_as_the_schema_says() {
    let schema = schema().unwrap();
    let vocabulary = Vocabulary::new().unwrap();
    let mentions = Mentions::default();
    let mut principal = who("a b");
    principal.on_behalf_of = Some("ada".to_owned());
    for verb in Verb::ALL {
        let objects: &[&str] = match verb.protocol() {
            Protocol::Sql => &[
                "database",
                "schema s",
                "s.t",
                "t",
                "s.f()",
                "f()",
                "setting x",
                "role r",
                "type t",
            ],
            Protocol::Http => &[
                "api",
                "/users/{id}",
                "/graphql.refund",
                "method shop.v1.Orders/Cancel",
            ],
            Protocol::Kubernetes => &["objects web/pods", "objects pods", "url /version"],
        };
        for object in objects {
            let operation = notation::operation(&format!("{verb} {object}, limit 3, calls f"));
            let tags = ["env=prod".to_owned()];
            let case = vocabulary
                .case(&principal, &shop(), &tags, &operation, &mentions)
                .unwrap();
            for question in case.questions {
                Request::new(
                    case.principal.clone(),
                    question.action,
                    question.resource,
                    case.context.clone(),
                    Some(&schema),
                )
                .unwrap();
            }
            let entities = case.entities.iter().cloned();
            Entities::from_entities(entities, Some(&schema)).unwrap();
        }
    }
    let labels = ["pii.email".to_owned()];
    let case = vocabulary
        .reveal(&principal, &shop(), &[], labels.iter())
        .unwrap();
    for question in case.questions {
        let context = case.context.clone();
        let (who, action) = (case.principal.clone(), question.action);
        Request::new(who, action, question.resource, context, Some(&schema)).unwrap();
    }
    Entities::from_entities(case.entities.iter().cloned(), Some(&schema)).unwrap();
}

#[test]
fn the_schema_has_an_action_for_each_verb_and_group_and_no_other() {
    let schema = schema().unwrap();
    let actions: BTreeSet<String> = schema
        .actions()
        .map(|uid| uid.id().escaped().to_string())
        .collect();
    let expected = Verb::ALL.iter().map(|verb| verb.as_str());
    let expected = expected.chain(Group::ALL.iter().map(|group| group.as_str()));
    let expected: BTreeSet<String> = expected.chain(["reveal"]).map(str::to_owned).collect();
    assert_eq!(actions, expected);
    for verb in Verb::ALL {
        let vocabulary = Vocabulary::new().unwrap();
        let entities = schema.action_entities().unwrap();
        let action = vocabulary.action(verb.as_str());
        let groups: Vec<String> = entities
            .ancestors(&action)
            .unwrap()
            .map(|uid| uid.id().escaped().to_string())
            .collect();
        let expected: Vec<String> = verb
            .group()
            .iter()
            .map(|group| group.as_str().to_owned())
            .collect();
        assert_eq!(groups, expected, "{verb}");
    }
}

#[test]
fn the_schema_in_the_docs_is_the_one_compiled_in() {
    expect_test::expect_file!["../../../../docs/examples/ostiary.cedarschema"]
        .assert_eq(&schema_text());
}

#[test]
fn hashes_are_stable_and_tell_names_from_contents() {
    let hash = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        crate::hash(&files.collect())
    };
    assert_eq!(
        hash(&[]),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let all = [
        hash(&[("a", "bc")]),
        hash(&[("ab", "c")]),
        hash(&[("a", "b"), ("c", "")]),
        hash(&[("a", ""), ("b", "c")]),
        hash(&[("a", "bc"), ("d", "")]),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert_eq!(
        hash(&[("a", "1"), ("b", "2")]),
        hash(&[("b", "2"), ("a", "1")])
    );
}

#[test]
fn labels_of_a_missing_file_are_none() {
    let labels = Labels::parse(&crate::Files::new(), &mut crate::error::Problems::default());
    assert!(labels.strategies.is_empty());
}
