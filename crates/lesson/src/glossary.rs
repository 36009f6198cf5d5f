//! The glossary: terms with a sentence for a beginner, one for an engineer, and where to see it.
//!
//! A file is a list of sections in the catalogue's format:
//!
//! ```text
//! [kubelet]
//! name = kubelet
//! also = kubelets                 further spellings, parted by commas; they link here too
//! plain = The agent on a node…    for a beginner, one sentence
//! exact = Watches Pods whose…     for an engineer, one sentence
//! see = event kubelet.admitted    where to see it: `event <trace code>`, `open <target>`, `tab <tab>`
//! glyph = kubelet                 the drawing of its kind, if it has one
//! ```

use crate::catalogue::Catalogue;

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its name in links: the section.
    pub id: String,
    /// As written.
    pub name: String,
    /// Other spellings that mean it.
    pub also: Vec<String>,
    /// One sentence for a beginner.
    pub plain: String,
    /// One sentence for an engineer.
    pub exact: String,
    /// Where to see it.
    pub see: See,
    /// The glyph of its kind; empty for none.
    pub glyph: String,
}

/// Where a term can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum See {
    /// The next event with this trace code.
    Event(String),
    /// The inside of a component: `cluster`, `api-server`, `etcd`, `scheduler`, `node`, `deployment`, `replicaset`, …
    Open(String),
    /// A tab of the inspector: `objects`, `events`, `etcd`, `scheduler`, `node`, `kubectl`.
    Tab(String),
    /// Nowhere.
    Nothing,
}

/// All terms, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Glossary {
    terms: Vec<Term>,
    /// Spellings with the index of their term, longest first.
    spellings: Vec<(String, usize)>,
}

impl Glossary {
    /// Reads a glossary. A section without a name is left out: words are content, and a broken line must
    /// not take the page down; tests find it.
    pub fn read(file: &'static str) -> Glossary {
        let words = Catalogue::read(&[file]);
        let ids = file.lines().filter_map(|line| {
            let id = line.strip_prefix('[')?.trim_end().strip_suffix(']')?;
            (!id.is_empty()).then_some(id)
        });
        let mut terms: Vec<Term> = ids.filter_map(|id| term(&words, id)).collect();
        Glossary::of(&mut terms)
    }

    /// The same terms in the words of another language: `say` knows `term.<id>.name` and so on, or not.
    #[must_use]
    pub fn translated(mut self, say: impl Fn(&str) -> Option<String>) -> Glossary {
        for term in &mut self.terms {
            let part = |name: &str| say(&["term.", &term.id, ".", name].concat());
            let (name, also) = (part("name"), part("also"));
            let (plain, exact) = (part("plain"), part("exact"));
            if let Some(name) = name {
                term.name = name;
                term.also = list(&also.unwrap_or_default());
            }
            term.plain = plain.unwrap_or_else(|| std::mem::take(&mut term.plain));
            term.exact = exact.unwrap_or_else(|| std::mem::take(&mut term.exact));
        }
        Glossary::of(&mut self.terms)
    }

    fn of(terms: &mut Vec<Term>) -> Glossary {
        let mut terms = std::mem::take(terms);
        terms.sort_by_key(|term| fold(&term.name));
        let mut spellings: Vec<(String, usize)> = Vec::new();
        for (i, term) in terms.iter().enumerate() {
            for name in std::iter::once(&term.name).chain(&term.also) {
                spellings.push((name.clone(), i));
            }
        }
        spellings.sort_by(|a, b| (b.0.len(), &a.0).cmp(&(a.0.len(), &b.0)));
        Glossary { terms, spellings }
    }

    /// All terms, sorted by name.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// A term by its id.
    pub fn get(&self, id: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.id == id)
    }

    /// Terms whose name or sentences contain all words of a query, whatever the case; by name first.
    pub fn search(&self, query: &str) -> Vec<&Term> {
        let query = fold(query);
        let words: Vec<&str> = query.split_whitespace().take(8).collect();
        let named = |t: &Term| {
            let names = fold(&[t.name.as_str(), " ", &t.also.join(" ")].concat());
            words.iter().all(|w| names.contains(w))
        };
        let told = |t: &Term| {
            let all = [&*t.name, &t.also.join(" "), &*t.plain, &*t.exact].join(" ");
            let all = fold(&all);
            words.iter().all(|w| all.contains(w))
        };
        let by_name = self.terms.iter().filter(|t| named(t));
        by_name
            .chain(self.terms.iter().filter(|t| !named(t) && told(t)))
            .collect()
    }

    /// The terms in a text, each at its first occurrence: (first byte, one past the last, term), in
    /// ascending order and without overlap. Terms in `seen` are passed over; those found are added.
    pub fn find(&self, text: &str, seen: &mut Vec<usize>) -> Vec<(usize, usize, usize)> {
        let mut found: Vec<(usize, usize, usize)> = Vec::new();
        for (spelling, term) in &self.spellings {
            if seen.contains(term) {
                continue;
            }
            let free = |from: usize, to: usize| found.iter().all(|f| to <= f.0 || f.1 <= from);
            let mut from = 0;
            while let Some(at) = text.get(from..).and_then(|t| t.find(spelling.as_str())) {
                let (start, end) = (from + at, from + at + spelling.len());
                if stands_alone(text, start, end) && free(start, end) {
                    found.push((start, end, *term));
                    seen.push(*term);
                    break;
                }
                from = end;
            }
        }
        found.sort_unstable();
        found
    }
}

/// No letter, digit, hyphen, dot or slash on either side makes it part of something longer.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '=');
    let before = text.get(..start).and_then(|t| t.chars().next_back());
    let after = text.get(end..).and_then(|t| t.chars().next());
    let dotted = text.get(end..).is_some_and(|t| {
        let mut next = t.chars();
        next.next() == Some('.') && next.next().is_some_and(char::is_alphanumeric)
    });
    !before.is_some_and(|c| joins(c) || c == '.') && !after.is_some_and(joins) && !dotted
}

fn list(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim).filter(|a| !a.is_empty());
    parts.map(str::to_owned).collect()
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn term(words: &Catalogue, id: &str) -> Option<Term> {
    let part = |name: &str| {
        let text = words.get(&[id, ".", name].concat());
        text.unwrap_or_default().to_owned()
    };
    let name = part("name");
    if name.is_empty() {
        return None;
    }
    let see = part("see");
    Some(Term {
        also: list(&part("also")),
        see: match see.split_once(' ') {
            Some(("event", code)) => See::Event(code.to_owned()),
            Some(("open", target)) => See::Open(target.to_owned()),
            Some(("tab", tab)) => See::Tab(tab.to_owned()),
            _ => See::Nothing,
        },
        id: id.to_owned(),
        name,
        plain: part("plain"),
        exact: part("exact"),
        glyph: part("glyph"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[pod]\nname = Pod\nalso = Pods\nplain = One.\nexact = Two.\nsee = event x.y\n\
                        glyph = pod\n[rs]\nname = ReplicaSet\nplain = Makes Pods.\nexact = e\nsee = tab objects\n\
                        [broken]\nplain = no name\n";

    #[test]
    fn terms_are_found_once_and_whole() {
        let glossary = Glossary::read(FILE);
        assert_eq!(glossary.terms().len(), 2);
        let mut seen = Vec::new();
        let found = glossary.find("A Podium, pod-1/Pods; Pods of a ReplicaSet. Pod", &mut seen);
        let text: Vec<_> = found.iter().map(|f| (f.0, f.1)).collect();
        assert_eq!(text, [(22, 26), (32, 42)]);
        assert!(glossary.find("a Pod", &mut seen).is_empty());
    }

    #[test]
    fn another_language_replaces_names_and_sentences() {
        let say = |code: &str| (code == "term.pod.name").then(|| "Kapsel".to_owned());
        let glossary = Glossary::read(FILE).translated(say);
        assert_eq!(glossary.find("Kapsel", &mut Vec::new()).len(), 1);
        let term = glossary.get("pod").expect("it is there");
        assert_eq!((term.plain.as_str(), term.also.len()), ("One.", 0));
    }

    #[test]
    fn search_finds_names_before_sentences() {
        let glossary = Glossary::read(FILE);
        let names: Vec<&str> = glossary.search("pods").iter().map(|t| &*t.id).collect();
        assert_eq!(names, ["pod", "rs"]);
        assert!(glossary.search("nothing like that").is_empty());
        assert_eq!(glossary.search("").len(), 2);
    }
}
