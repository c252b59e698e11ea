//! A GraphQL document: its operations, and what is at the root of one.

use std::collections::{BTreeMap, BTreeSet};

use apollo_parser::{
    Parser,
    cst::{self, CstNode as _},
};

use crate::Verb;

/// Tokens of one document, white space and comments among them.
const MAX_TOKENS: usize = 20_000;
/// Levels of selections and of values. Bounds the stack too.
const MAX_DEPTH: usize = 64;

/// A document that names everything once.
pub(super) struct Document {
    operations: Vec<Operation>,
    fragments: BTreeMap<String, cst::SelectionSet>,
    aliases: BTreeMap<String, BTreeSet<String>>,
}

/// One operation of it.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) definition: cst::OperationDefinition,
    selections: cst::SelectionSet,
    name: Option<String>,
}

/// A field at the root.
pub(super) struct Field {
    pub(super) field: cst::Field,
    name: String,
}

impl Operation {
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn verb(&self) -> Verb {
        let kind = self.definition.operation_type();
        let is = |kind: &cst::OperationType| {
            if kind.mutation_token().is_some() {
                Verb::GraphqlMutation
            } else if kind.subscription_token().is_some() {
                Verb::GraphqlSubscription
            } else {
                Verb::GraphqlQuery
            }
        };
        kind.as_ref().map_or(Verb::GraphqlQuery, is)
    }
}

impl Field {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Document {
    /// Reads a document; fails with the reason why it is not certain what it says.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let tree = Parser::new(text)
            .recursion_limit(MAX_DEPTH)
            .token_limit(MAX_TOKENS)
            .parse();
        if tree.errors().next().is_some() {
            return Err("its query is not GraphQL, or too long or deep".to_owned());
        }
        let root = tree.document();
        let mut document = Self {
            operations: Vec::new(),
            fragments: BTreeMap::new(),
            aliases: BTreeMap::new(),
        };
        for definition in root.definitions() {
            match definition {
                cst::Definition::OperationDefinition(definition) => {
                    let selections = definition.selection_set().ok_or_else(incomplete)?;
                    let name = definition.name().map(|it| it.text().to_string());
                    document.operations.push(Operation {
                        definition,
                        selections,
                        name,
                    });
                }
                cst::Definition::FragmentDefinition(fragment) => {
                    let name = fragment.fragment_name().and_then(|it| it.name());
                    let name = name.ok_or_else(incomplete)?.text().to_string();
                    let selections = fragment.selection_set().ok_or_else(incomplete)?;
                    if document.fragments.insert(name, selections).is_some() {
                        return Err("two of its fragments have one name".to_owned());
                    }
                }
                _ => return Err("it defines types, which no request does".to_owned()),
            }
        }
        document.check_names()?;
        let mut directives = root.syntax().descendants().filter_map(cst::Directive::cast);
        let splits = |it: cst::Directive| {
            it.name()
                .is_none_or(|name| matches!(name.text().as_str(), "defer" | "stream"))
        };
        if directives.any(splits) {
            return Err("its answer comes in parts that have a shape of their own".to_owned());
        }
        for field in root.syntax().descendants().filter_map(cst::Field::cast) {
            if let (Some(alias), Some(name)) =
                (field.alias().and_then(|it| it.name()), field.name())
            {
                let names = document.aliases.entry(alias.text().to_string());
                names.or_default().insert(name.text().to_string());
            }
        }
        Ok(document)
    }

    fn check_names(&self) -> Result<(), String> {
        let names: BTreeSet<Option<&str>> = self.operations.iter().map(Operation::name).collect();
        let nameless = names.contains(&None) && self.operations.len() > 1;
        match nameless || names.len() < self.operations.len() {
            true => Err("its operations are not told apart by their names".to_owned()),
            false => Ok(()),
        }
    }

    /// The operation that runs.
    pub(super) fn choose(&self, name: Option<&str>) -> Result<Operation, String> {
        let name = name.filter(|name| !name.is_empty());
        let mut fitting = self
            .operations
            .iter()
            .filter(|it| name.is_none() || it.name() == name);
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one.clone()),
            (Some(_), Some(_)) => Err("it has several operations and names none".to_owned()),
            (None, _) => Err("it has no operation of that name".to_owned()),
        }
    }

    /// What aliases stand for, anywhere in the document.
    pub(super) fn aliases(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.aliases
    }

    /// The fields at the root of an operation, through its fragments. Conditions (`@skip`) do not
    /// count: each field may be asked for.
    pub(super) fn roots(&self, operation: &Operation) -> Result<Vec<Field>, String> {
        let mut fields = Vec::new();
        let mut spread: BTreeSet<String> = BTreeSet::new();
        let mut open = vec![operation.selections.clone()];
        while let Some(selections) = open.pop() {
            for selection in selections.selections() {
                match selection {
                    cst::Selection::Field(field) => {
                        let name = field.name().ok_or_else(incomplete)?.text().to_string();
                        fields.push(Field { field, name });
                    }
                    cst::Selection::InlineFragment(fragment) => {
                        open.push(fragment.selection_set().ok_or_else(incomplete)?);
                    }
                    cst::Selection::FragmentSpread(fragment) => {
                        let name = fragment.fragment_name().and_then(|it| it.name());
                        let name = name.ok_or_else(incomplete)?.text().to_string();
                        let known = self.fragments.get(&name);
                        let inside = known.ok_or("it spreads a fragment that it does not have")?;
                        if spread.insert(name) {
                            open.push(inside.clone());
                        }
                    }
                }
            }
        }
        Ok(fields)
    }
}

fn incomplete() -> String {
    "its query is not whole".to_owned()
}
