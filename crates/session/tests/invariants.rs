//! Invariants on demand: presets break none without an explanation, and every word is there.

use podscope_session::Session;
use podscope_session::api::Source;
use podscope_session::invariants::CheckApi;

#[test]
fn every_invariant_has_its_words() {
    let words = podscope_session::words::english();
    let session = Session::open(Source::Manifest("")).expect("it opens");
    let all = session.invariants();
    assert!(all.len() >= 15);
    for invariant in all.iter() {
        let parts = [".title", ".why", ".broken", ".excuse"];
        let needed = if invariant.excuses.is_empty() { 3 } else { 4 };
        for part in &parts[..needed] {
            let code = [invariant.code, part].concat();
            assert!(words.get(&code).is_some(), "{code}");
        }
        let when = format!("invariant.on-{}", invariant.when);
        assert!(words.get(&when).is_some(), "{when}");
    }
}

#[test]
fn presets_break_no_invariant_without_an_explanation() {
    for preset in podscope_lesson::presets() {
        let mut session = Session::open(Source::Preset(preset.id)).expect("it opens");
        session.seek_end();
        let hash = session.log_hash();
        let found = session.check();
        assert_eq!(found.events as usize, session.shown_log().len());
        let bad: Vec<_> = found.violations.iter().filter(|v| !v.excused).collect();
        assert!(bad.is_empty(), "{}: {bad:#?}", preset.id);
        assert_eq!(session.log_hash(), hash, "a question changes nothing");
    }
}

#[test]
fn a_split_brain_is_found_where_it_begins_and_explained() {
    let scenario = "\
podscope: 1
files:
- name: a.yaml
  text: |
    apiVersion: v1
    kind: Pod
    metadata: {name: p}
    spec: {nodeName: node-1, containers: [{name: c, image: 'nginx:1.25'}]}
- name: b.yaml
  text: |
    apiVersion: v1
    kind: Pod
    metadata: {name: p}
    spec: {nodeName: node-2, containers: [{name: c, image: 'nginx:1.25'}]}
commands:
- at: 1ms
  kubectl: apply -f a.yaml
- at: 20s
  fault: partition target=node-1
- at: 21s
  kubectl: delete pod p --force --grace-period=0
- at: 25s
  kubectl: apply -f b.yaml
until: 50s
cursor: end
";
    let mut session = Session::open(Source::Scenario(scenario)).expect("it opens");
    let found = session.check();
    let [twice] = &*found.violations else {
        panic!("{found:#?}");
    };
    assert_eq!(twice.text.code, "invariant.pod-runs-once");
    assert!(twice.excused);
    assert_eq!(twice.object.as_ref().map(|o| &*o.name), Some("p"));
    // Just before it nothing was broken.
    let at = podscope_session::SimTime(twice.at / 1_000 - 1);
    session.seek_time(at);
    assert!(session.check().violations.is_empty());
}
