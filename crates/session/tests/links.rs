//! Links made on some day open for ever. `links.txt` holds them, each with the event that it opens
//! at and the hash of the log up to there: link, event, hash. Lines are added, never taken out and
//! never changed but for the hash.
//!
//! When the engine's trace changes on purpose, `PODSCOPE_BLESS=1 cargo test -p podscope-session
//! --test links` records new hashes; the links themselves and their events stay.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const RECORDED: &str = include_str!("links.txt");

fn opened() -> String {
    let mut out = String::new();
    for line in RECORDED.lines() {
        let link = line.split(' ').next().unwrap_or_default();
        let session = match Session::open(Source::Link(link)) {
            Ok(session) => session,
            Err(error) => panic!("{link}: {error}"),
        };
        let (event, hash) = (session.view().cursor.event, session.log_hash());
        out.push_str(&format!("{link} {event} {hash:016x}\n"));
    }
    out
}

#[test]
fn links_of_former_days_open_at_their_moment() {
    assert!(RECORDED.lines().count() >= 10);
    let got = opened();
    #[cfg(not(target_arch = "wasm32"))]
    if std::env::var_os("PODSCOPE_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/links.txt");
        std::fs::write(path, &got).expect("the file can be written");
        return;
    }
    assert_eq!(got, RECORDED);
}

#[test]
fn a_link_of_today_opens_what_it_was_made_of() {
    for line in RECORDED.lines() {
        let link = line.split(' ').next().unwrap_or_default();
        let session = Session::open(Source::Link(link)).expect("opens");
        let again = Session::open(Source::Link(&session.share())).expect("opens");
        assert_eq!(again.log_hash(), session.log_hash(), "{link}");
        assert_eq!(again.view().cursor, session.view().cursor, "{link}");
    }
}
