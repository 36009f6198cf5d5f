//! Manifests with random changes.

const SEEDS: &[&str] = &[
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {app: web, \"t\": 'x'}\nspec:\n  containers:\n  - name: c\n    image: nginx:1.27\n    args: [\"a\", 'b', c]\n    env:\n    - {name: A, value: \"1\"}\n  restartPolicy: Never\n",
    "a: &x\n  b: 1\n  c: [1, 2]\nd: *x\ne:\n  <<: *x\n  f: |\n    text\n     more\n  g: >-\n    folded\n    text\n# comment\n---\n? complex\n: value\n...\n",
    "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"a\": null, \"b\": [true, 1.5e3, \"\\u00e9\"]}]}",
    "- a\n- - b\n  - c: d\n    e: !!str 5\n- ~\n- yes\n- 017\n- é: ü\n- \"quoted\n  over lines\"\n- 'it''s'\n",
];

/// A stream of numbers.
pub struct Random(pub u64);

impl Random {
    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
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

/// A manifest with a few changes.
pub fn text(random: &mut Random) -> String {
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

/// How many texts a test tries: `ROUNDS`, or this many.
pub fn rounds(usual: usize) -> usize {
    std::env::var("ROUNDS")
        .ok()
        .and_then(|r| r.parse().ok())
        .unwrap_or(usual)
}
