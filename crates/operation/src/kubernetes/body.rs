//! Bodies of requests: JSON whatever it is called, and patches by what they change.

use serde::Deserialize;

use crate::http::{
    Content, Refused, RequestFacts,
    body::{NO_FORM, push_name, read_at},
};

/// What a body says is put among the facts; answers why it was not read, if so.
pub(super) fn read(
    content: &Content,
    body: &[u8],
    facts: &mut RequestFacts,
) -> Result<Option<String>, Refused> {
    if body.is_empty() {
        return Ok(None);
    }
    let media_type = content.media_type().to_owned();
    if media_type.ends_with("cbor") {
        // Clients that speak it send JSON when they are told so.
        return Err(Refused {
            status: 415,
            reason: "the gateway reads JSON and no binary forms of it: send `application/json`"
                .to_owned(),
        });
    }
    if media_type.ends_with("protobuf") {
        return Ok(Some(
            "its body is protobuf; `kubectl apply -f` sends JSON".to_owned(),
        ));
    }
    let is_yaml = match content {
        Content::Json(_) => false,
        Content::Other { reason, .. } if reason == NO_FORM && media_type.ends_with("yaml") => true,
        Content::Other { reason, .. } if reason != NO_FORM => return Ok(Some(reason.clone())),
        Content::Form(_) | Content::Other { .. } => {
            return Ok(Some("its body is not JSON".to_owned()));
        }
    };
    if is_yaml && !body.trim_ascii_start().starts_with(b"{") {
        return Ok(Some("its body is YAML".to_owned()));
    }
    Content::Json(media_type.clone()).read(body, facts)?;
    // Readers of YAML merge what is under this key into the object around it, in quotes or not.
    if is_yaml && facts.body.keys().any(|path| path.contains("<<")) {
        return Ok(Some("its body may merge YAML (`<<`)".to_owned()));
    }
    match media_type.as_str() {
        "application/json-patch+json" => read_patch(body, facts),
        _ => Ok(None),
    }
}

/// One step of a JSON patch (RFC 6902).
#[derive(Deserialize)]
struct Step {
    op: String,
    path: String,
    #[serde(default)]
    value: serde_json::Value,
}

/// The fields a JSON patch sets, where they will be; the whole was read before, so that no key in it
/// comes twice.
fn read_patch(body: &[u8], facts: &mut RequestFacts) -> Result<Option<String>, Refused> {
    let Ok(steps) = serde_json::from_slice::<Vec<Step>>(body) else {
        return Ok(Some("its body is no JSON patch".to_owned()));
    };
    let mut parts = Vec::new();
    for step in steps {
        match step.op.as_str() {
            "add" | "replace" => {}
            "remove" => continue,
            // It tells by its failure what a value is not; who and when the object is may be asked.
            "test" if step.path.starts_with("/metadata/") && !step.path.contains("annotations") => {
                continue;
            }
            "test" => return Ok(Some("its patch asks what a value is".to_owned())),
            _ => return Ok(Some("its patch copies values it does not show".to_owned())),
        }
        let Some(path) = field_of(&step.path) else {
            return Ok(Some("its patch has a path that is none".to_owned()));
        };
        parts.push((path, step.value.to_string().into_bytes()));
    }
    read_at(&parts, facts)?;
    Ok(None)
}

/// A JSON pointer (RFC 6901) as fields are written: `/spec/containers/0/image` is
/// `spec.containers[].image`.
fn field_of(pointer: &str) -> Option<String> {
    let mut path = String::new();
    if pointer.is_empty() {
        return Some(path);
    }
    for part in pointer.strip_prefix('/')?.split('/') {
        let part = part.replace("~1", "/").replace("~0", "~");
        let is_index =
            part == "-" || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        match is_index {
            true => path.push_str("[]"),
            false => push_name(&mut path, &part),
        }
    }
    Some(path)
}
