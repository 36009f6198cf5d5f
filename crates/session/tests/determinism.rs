//! The same scenario gives the same event log everywhere: natively, in Node and in a browser.
//!
//! `PODSCOPE_BLESS=1 cargo test -p podscope-session --test determinism` records new hashes.

use podscope_session::api::{SessionApi, Source};
use podscope_session::{Scenario, Session, SimTime, preset};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const RECORDED: &str = include_str!("hashes.txt");

fn play(id: &str) -> Session {
    let text = preset(id).expect("a preset that exists");
    let mut session = Session::open(Source::Scenario(text)).expect("a preset that opens");
    session.seek_end();
    session
}

fn hashes() -> String {
    let mut out = String::new();
    for preset in podscope_session::preset_titles() {
        let session = play(preset.0);
        let state = session.simulation().state_hash();
        out.push_str(&format!(
            "{} {} {:016x} {state:016x}\n",
            preset.0,
            session.log().len(),
            session.log_hash()
        ));
    }
    out
}

#[test]
fn every_preset_gives_the_recorded_hash() {
    let got = hashes();
    #[cfg(not(target_arch = "wasm32"))]
    if std::env::var_os("PODSCOPE_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hashes.txt");
        std::fs::write(path, &got).expect("the file can be written");
        return;
    }
    assert_eq!(got, RECORDED, "got:\n{got}");
}

#[test]
fn going_back_and_forth_changes_nothing() {
    let mut session = play("birth");
    let (hash, state, all) = (
        session.log_hash(),
        session.simulation().state_hash(),
        session.log().len(),
    );
    for target in [0, all / 3, all / 2, 7, all.saturating_sub(1), all] {
        session.seek(podscope_session::view::Seek::Event(
            u32::try_from(target).expect("small"),
        ));
    }
    assert_eq!(
        (session.log_hash(), session.simulation().state_hash()),
        (hash, state)
    );
    session.seek_time(SimTime(100_000));
    session.seek_end();
    assert_eq!(session.log_hash(), hash);
}

#[test]
fn an_exported_scenario_and_a_link_open_to_the_same_log() {
    let mut session = play("birth");
    session
        .kubectl(&["scale", "deployment", "nginx", "--replicas=4"])
        .expect("accepted");
    session.seek_end();
    let hash = session.log_hash();
    let shown = session.log().len();
    let mut again =
        Session::from_scenario(&Scenario::parse(&session.export_scenario()).expect("valid"))
            .expect("opens");
    again.seek(podscope_session::view::Seek::Event(
        u32::try_from(shown).expect("small"),
    ));
    assert_eq!(again.log_hash(), hash, "exported scenario");
    let link = session.share();
    let mut linked = Session::open(Source::Link(&link)).expect("the link opens");
    linked.seek(podscope_session::view::Seek::Event(
        u32::try_from(shown).expect("small"),
    ));
    assert_eq!(linked.log_hash(), hash, "link");
}
