//! Any text is read without panic and in bounded time.

use podscope_manifest::{parse, yaml};

const SEEDS: &[&str] = &[
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {app: web, \"t\": 'x'}\nspec:\n  containers:\n  - name: c\n    image: nginx:1.27\n    args: [\"a\", 'b', c]\n    env:\n    - {name: A, value: \"1\"}\n  restartPolicy: Never\n",
    "a: &x\n  b: 1\n  c: [1, 2]\nd: *x\ne:\n  <<: *x\n  f: |\n    text\n     more\n  g: >-\n    folded\n    text\n# comment\n---\n? complex\n: value\n...\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"a\": null, \"b\": [true, 1.5e3, \"\\u00e9\"]}]}",
    "- a\n- - b\n  - c: d\n    e: !!str 5\n- ~\n- yes\n- 017\n- é: ü\n- \"quoted\n  over lines\"\n- 'it''s'\n",
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

const PIECES: &[&str] = &[
    ":", ": ", "-", "- ", "\n", "\n  ", "  ", "\t", "{", "}", "[", "]", ",", "\"", "'", "|", ">",
    "&a ", "*a", "!", "!!int ", "#", " #", "?", "? ", "%", "@", "`", "---\n", "...\n", "<<: ",
    "\\", "é", "\u{feff}", "\u{0}", "\u{85}", "0x", "1e9", "~", "\r", "\r\n",
];

fn mutate(random: &mut Random) -> String {
    let seed = SEEDS[random.below(SEEDS.len())];
    let mut chars: Vec<char> = seed.chars().collect();
    for _ in 0..=random.below(6) {
        let at = random.below(chars.len() + 1);
        match random.below(4) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 => {
                let end = (at + random.below(20)).min(chars.len());
                chars.drain(at..end);
            }
            2 => {
                let end = (at + random.below(30)).min(chars.len());
                let copy: Vec<char> = chars[at..end].to_vec();
                let to = random.below(chars.len() + 1);
                chars.splice(to..to, copy);
            }
            _ => {
                let piece: Vec<char> = PIECES[random.below(PIECES.len())].chars().collect();
                chars.splice(at..at, piece);
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn mutated_manifests_never_panic_and_print_again() {
    let rounds: usize = std::env::var("ROUNDS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(4000);
    let mut random = Random(42);
    let (mut read, mut same) = (0, 0);
    for _ in 0..rounds {
        let text = mutate(&mut random);
        let outcome = std::panic::catch_unwind(|| parse(&text));
        let (documents, diagnostics) = outcome.unwrap_or_else(|_| panic!("panicked on {text:?}"));
        for diagnostic in &diagnostics {
            let span = diagnostic.span;
            assert!(
                span.start <= span.end && span.end as usize <= text.len(),
                "{text:?} {span:?}"
            );
            assert!(
                text.is_char_boundary(span.start as usize),
                "{text:?} {span:?}"
            );
            assert!(
                text.is_char_boundary(span.end as usize),
                "{text:?} {span:?}"
            );
        }
        for document in documents {
            read += 1;
            let printed = yaml::to_string(&document.object);
            let (again, _) = parse(&printed);
            if again.first().is_some_and(|d| d.object == document.object) {
                same += 1;
            } else if !document.object.is_null() {
                panic!("{text:?} printed as {printed:?} reads as {again:?}");
            }
        }
    }
    assert!(
        read > rounds / 4,
        "{read} documents of {rounds} texts were read"
    );
    assert!(same * 10 > read * 9, "{same} of {read} were the same again");
}

// Measures the reader, not the simulation.
#[allow(clippy::disallowed_types)]
#[test]
fn long_deep_and_explosive_texts_are_refused_quickly() {
    let start = std::time::Instant::now();
    let long = "a: b\n".repeat(400_000);
    assert_eq!(parse(&long).1.len(), 1);
    for open in ["[", "{a: ", "- ", "a:\n "] {
        let deep = open.repeat(3000);
        assert!(!parse(&deep).1.is_empty(), "{open}");
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for i in 1..12 {
        let last = i - 1;
        let row = format!("*a{last}, ").repeat(10);
        bomb.push_str(&format!("a{i}: &a{i} [{row}]\n"));
    }
    let (_, diagnostics) = parse(&bomb);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let own = "a: &a\n  b: *a\n";
    assert_eq!(parse(own).1.len(), 1);
    let many = "---\na: 1\n".repeat(5000);
    assert!(parse(&many).0.len() <= 1000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
