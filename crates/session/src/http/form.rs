//! How the body of a response is read, by what its head says of it.

use ostiary_mask::body::Form;
use ostiary_operation::http::is_grpc;

/// How a body is read.
pub(super) enum Reading {
    /// There is none, or nothing is masked for this agent.
    AsIs,
    Masked(Form),
    Unreadable(&'static str),
}

/// How a media type is read.
pub(super) fn form_of(content_type: &str) -> Reading {
    let mut parts = content_type.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase());
    let charset = charset.as_deref().unwrap_or("utf-8");
    if is_grpc(&media_type) {
        return Reading::Unreadable("the answer is messages of gRPC");
    }
    let ascii = ["iso-8859-", "windows-125"];
    let is_utf8 = matches!(charset, "utf-8" | "us-ascii");
    let is_text = is_utf8 || ascii.iter().any(|it| charset.starts_with(it));
    let json = [
        "application/json",
        "text/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-seq",
    ];
    if json.contains(&media_type.as_str()) || media_type.ends_with("+json") {
        return match is_utf8 {
            true => Reading::Masked(Form::Json),
            false => Reading::Unreadable("the JSON of the answer is not UTF-8"),
        };
    }
    let texts = [
        "application/xml",
        "application/javascript",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/sql",
    ];
    let other = texts.contains(&media_type.as_str()) || media_type.ends_with("+xml");
    if !media_type.starts_with("text/") && !other {
        return Reading::Unreadable("the content type of the answer is not one that is read");
    }
    match (is_text, media_type.as_str()) {
        (false, _) => Reading::Unreadable("the text of the answer is in an unknown character set"),
        (true, "text/event-stream") => Reading::Masked(Form::Events),
        (true, _) => Reading::Masked(Form::Text),
    }
}
