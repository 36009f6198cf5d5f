//! The pieces of manifests that the editor offers are accepted as they are.

use podscope_session::Session;
use podscope_session::api::{SessionApi, Source};
use podscope_session::view::Effect;

const TEXT: &str = include_str!("../../../content/snippets.yaml");
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n";
const CONTAINER: &str = "  containers:\n  - name: c\n    image: nginx\n";

#[test]
fn every_piece_is_accepted() {
    let mut session = Session::open(Source::Preset("birth")).expect("a preset that opens");
    let mut seen = 0;
    for block in TEXT.split("\n#").skip(1) {
        let (head, text) = block.split_once('\n').expect("a head");
        let (mark, id) = head.split_at(1);
        let manifest = match mark {
            "=" => text.replace("NAME", "piece"),
            "+" => {
                let in_pod = ["tolerations", "topologySpreadConstraints"].contains(&id.trim());
                let indent = if in_pod { "  " } else { "    " };
                let lines: String = text
                    .lines()
                    .map(|line| format!("{indent}{line}\n"))
                    .collect();
                format!("{POD}{CONTAINER}{lines}")
            }
            _ => continue,
        };
        let found = session.edit("m.yaml", &manifest);
        assert_eq!(found.effect, Effect::Runs, "{id}: {found:#?}");
        assert!(found.items.is_empty(), "{id}: {found:#?}");
        seen += 1;
    }
    assert!(seen > 12, "only {seen} pieces");
}
