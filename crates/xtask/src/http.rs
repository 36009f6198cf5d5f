//! A small static file server for localhost, as strict as the strictest host of the page.

use crate::shell::{Context, Result};
use crate::site::CONTENT_SECURITY_POLICY;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// How many ports are tried from the wanted one on.
const PORTS_TRIED: u16 = 20;

/// The longest request that is read.
const MAX_REQUEST_BYTES: u64 = 16 * 1024;

/// Listens on the first free port from `port` on.
pub fn listen(port: u16) -> Result<(TcpListener, u16)> {
    let last = port.saturating_add(PORTS_TRIED);
    for candidate in port..=last {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", candidate)) {
            return Ok((listener, candidate));
        }
    }
    Err(format!(
        "ports {port} to {last} are all taken: choose another with --port"
    ))
}

/// Answers requests with the files of `folder`, for ever.
pub fn serve(listener: &TcpListener, folder: &Path) {
    for stream in listener.incoming().flatten() {
        let folder = folder.to_path_buf();
        // A browser that goes away is no fault of ours.
        std::thread::spawn(move || answer(&stream, &folder).ok());
    }
}

fn answer(stream: &TcpStream, folder: &Path) -> Result<()> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .context(|| "socket".to_owned())?;
    let mut reader = BufReader::new(stream.take(MAX_REQUEST_BYTES));
    let mut request = String::new();
    reader
        .read_line(&mut request)
        .context(|| "request".to_owned())?;
    let mut header = String::new();
    while reader
        .read_line(&mut header)
        .context(|| "header".to_owned())?
        > 2
    {
        header.clear();
    }
    let mut words = request.split_whitespace();
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let response = respond(method, target, folder);
    write_response(stream, &response, method == "HEAD").context(|| "response".to_owned())
}

struct Response {
    status: &'static str,
    kind: &'static str,
    location: Option<String>,
    body: Vec<u8>,
}

fn respond(method: &str, target: &str, folder: &Path) -> Response {
    let plain = |status: &'static str| Response {
        status,
        kind: "text/plain; charset=utf-8",
        location: None,
        body: status.as_bytes().to_vec(),
    };
    if method != "GET" && method != "HEAD" {
        return plain("405 Method Not Allowed");
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let Some(mut file) = file_of(path, folder) else {
        return plain("400 Bad Request");
    };
    if file.is_dir() {
        if !path.ends_with('/') {
            // One leading slash only: two would name another host.
            let location = format!("/{}/", path.trim_start_matches('/'));
            return Response {
                location: Some(location),
                ..plain("301 Moved Permanently")
            };
        }
        file.push("index.html");
    }
    match std::fs::read(&file) {
        Ok(body) => Response {
            status: "200 OK",
            kind: kind_of(&file),
            location: None,
            body,
        },
        Err(_) => plain("404 Not Found"),
    }
}

/// The file for a request path; `None` when it would leave the folder.
fn file_of(path: &str, folder: &Path) -> Option<PathBuf> {
    let decoded = percent_decode(path)?;
    let within = Path::new(decoded.trim_start_matches('/'));
    let safe = within
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    safe.then(|| folder.join(within))
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |digit: Option<u8>| (digit? as char).to_digit(16);
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let decoded = String::from_utf8(bytes).ok()?;
    (!decoded.contains(['\\', '\0'])).then_some(decoded)
}

fn kind_of(file: &Path) -> &'static str {
    match file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "yaml" | "yml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn write_response(mut stream: &TcpStream, response: &Response, head: bool) -> std::io::Result<()> {
    let Response {
        status,
        kind,
        location,
        body,
    } = response;
    let location = location
        .as_ref()
        .map(|to| format!("Location: {to}\r\n"))
        .unwrap_or_default();
    let headers = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{location}\
         Content-Security-Policy: {CONTENT_SECURITY_POLICY}\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(headers.as_bytes())?;
    if !head {
        stream.write_all(body)?;
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_inside_the_folder() {
        let folder = Path::new("/site");
        assert_eq!(
            file_of("/a/b.js", folder),
            Some(PathBuf::from("/site/a/b.js"))
        );
        assert_eq!(file_of("/", folder), Some(PathBuf::from("/site")));
        for path in [
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/..%2fx",
            "/%zz",
            "/a%5c..",
            "/%00",
        ] {
            assert_eq!(file_of(path, folder), None, "{path}");
        }
    }

    #[test]
    fn only_reading_is_answered() {
        assert_eq!(
            respond("POST", "/", Path::new("/none")).status,
            "405 Method Not Allowed"
        );
        assert_eq!(
            respond("GET", "/x", Path::new("/none")).status,
            "404 Not Found"
        );
    }
}
