//! A page that lists the API for people. It needs no script, so it shows what it shows under any policy.

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, PathItem};

use crate::openapi::description;

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Shardmill API</title>\
<meta name=\"viewport\" content=\"width=device-width\"><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h2{margin-top:2rem;text-transform:capitalize}section{border-top:1px solid #ccc;padding:.5rem 0}\
code{font-size:.95em}b{display:inline-block;min-width:4.5rem}ul{margin:.3rem 0}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8bf}}\
</style></head><body><h1>Shardmill API</h1><p>Send <code>Authorization: Bearer &lt;key&gt;</code>. \
The whole description is <a href=\"/openapi.json\">openapi.json</a>.</p>";

/// This list of the API, for people.
#[utoipa::path(get, path = "/docs", tag = "about",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")))]
pub(crate) async fn docs() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    (headers, page()).into_response()
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut tags: Vec<&str> = Vec::new();
    let operations: Vec<(&str, &str, &Operation)> =
        description().paths.paths.iter().flat_map(|(path, item)| of_item(path, item)).collect();
    for (_, _, operation) in &operations {
        let tag = tag(operation);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    for wanted in tags {
        let _ = write!(page, "<h2>{}</h2>", escaped(wanted));
        for (method, path, operation) in operations.iter().filter(|(_, _, operation)| tag(operation) == wanted) {
            page.push_str(&section(method, path, operation));
        }
    }
    page.push_str("</body></html>");
    page
}

fn of_item<'d>(path: &'d str, item: &'d PathItem) -> impl Iterator<Item = (&'static str, &'d str, &'d Operation)> {
    let methods = [("GET", &item.get), ("POST", &item.post), ("PUT", &item.put), ("DELETE", &item.delete)];
    methods.into_iter().filter_map(move |(method, operation)| Some((method, path, operation.as_ref()?)))
}

fn tag(operation: &Operation) -> &str {
    operation.tags.as_ref().and_then(|tags| tags.first()).map_or("other", String::as_str)
}

fn section(method: &str, path: &str, operation: &Operation) -> String {
    let mut text = format!("<section><p><b>{method}</b> <code>{}</code></p>", escaped(path));
    for part in [&operation.summary, &operation.description].into_iter().flatten() {
        let _ = write!(text, "<p>{}</p>", escaped(part));
    }
    text.push_str("<ul>");
    let parameters = operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    });
    for parameter in parameters {
        let about = parameter.description.as_deref().unwrap_or("");
        let _ = write!(text, "<li><code>{}</code> {}</li>", escaped(&parameter.name), escaped(about));
    }
    for (status, response) in &operation.responses.responses {
        if let RefOr::T(response) = response {
            let _ = write!(text, "<li>{status}: {}</li>", escaped(&response.description));
        }
    }
    text.push_str("</ul></section>");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
