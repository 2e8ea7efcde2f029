//! A plugin in Rust. It reads one JSON-RPC message a line from stdin and writes one answer a line to stdout, in the
//! words of MCP: tools/list and tools/call, and what an MCP client asks first. It needs no crate: values are copied
//! from the question to the answer as they stand there, escapes and all.
//!
//! To make it yours: change TOOLS and call_tool, and say the same tools in manifest.json.

use std::io::{self, BufRead, Write};

const TOOLS: &str = r#"[{"name":"hello","description":"Greets somebody",
"inputSchema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false},
"outputSchema":{"type":"object","properties":{"greeting":{"type":"string"}},"required":["greeting"],"additionalProperties":false}}]"#;

/// Run the tool `name` (JSON, with its quotes) and return the member of the answer: a result or an error.
fn call_tool(name: &str, arguments: &str) -> String {
    if name != r#""hello""# {
        return error(-32602, "no such tool");
    }
    let who = member(arguments, "name");
    if who.len() < 2 || !who.starts_with('"') {
        return r#""result":{"resultType":"complete","isError":true,"content":[{"type":"text","text":"name is missing"}]}"#
            .to_string();
    }
    let greeting = format!("\"Hello, {}!\"", &who[1..who.len() - 1]);
    format!(
        r#""result":{{"resultType":"complete","content":[{{"type":"text","text":{}}}],"structuredContent":{{"greeting":{}}}}}"#,
        greeting, greeting
    )
}

// ---- MCP ----

fn error(code: i32, message: &str) -> String {
    format!(r#""error":{{"code":{},"message":"{}"}}"#, code, message)
}

/// Return the member of the answer to one message.
fn answer(message: &str) -> String {
    let params = member(message, "params");
    match member(message, "method") {
        r#""tools/call""# => call_tool(member(params, "name"), member(params, "arguments")),
        r#""tools/list""# => {
            let tools = TOOLS.replace('\n', "");
            format!(r#""result":{{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":{}}}"#, tools)
        }
        r#""server/discover""# => r#""result":{"resultType":"complete","ttlMs":0,"cacheScope":"public","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#
            .to_string(),
        r#""initialize""# => {
            let known = ["\"2025-06-18\"", "\"2025-11-25\""];
            let wanted = member(params, "protocolVersion");
            let version = if known.contains(&wanted) { wanted } else { known[1] };
            format!(
                r#""result":{{"protocolVersion":{},"capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"hello","version":"1.0.0"}}}}"#,
                version
            )
        }
        r#""ping""# => r#""result":{}"#.to_string(),
        _ => error(-32601, "no such method"),
    }
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let message = line?;
        let id = member(&message, "id");
        if id.is_empty() && !member(&message, "method").is_empty() {
            continue; // a notification wants no answer
        }
        let id = if id.is_empty() { "null" } else { id };
        writeln!(out, r#"{{"jsonrpc":"2.0","id":{},{}}}"#, id, answer(&message))?;
        out.flush()?;
    }
    Ok(())
}

// ---- JSON, as far as it is needed ----

/// Return what `object` holds under `key`, as it is written there; "" when it holds nothing.
fn member<'a>(object: &'a str, key: &str) -> &'a str {
    let mut rest = match object.trim_start().strip_prefix('{') {
        Some(inside) => inside,
        None => return "",
    };
    loop {
        rest = rest.trim_start();
        if !rest.starts_with('"') {
            return "";
        }
        let (name, behind) = rest.split_at(string_end(rest));
        let behind = match behind.trim_start().strip_prefix(':') {
            Some(value) => value.trim_start(),
            None => return "",
        };
        let (value, after) = behind.split_at(value_end(behind));
        if name.len() == key.len() + 2 && &name[1..name.len() - 1] == key {
            return value;
        }
        rest = match after.trim_start().strip_prefix(',') {
            Some(next) => next,
            None => return "",
        };
    }
}

/// Return where the string that `text` begins with ends, its quotes included.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Return where the value that `text` begins with ends.
fn value_end(text: &str) -> usize {
    let (bytes, mut at, mut depth) = (text.as_bytes(), 0, 0usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at += string_end(&text[at..]) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        if depth == 0 && matches!(bytes[at], b'"' | b'}' | b']') {
            return at + 1;
        }
        at += 1;
    }
    at
}
