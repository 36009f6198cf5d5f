//! Any text is read without panic and in bounded time.

use podscope_manifest::{parse, yaml};

mod mutate;

#[test]
fn mutated_manifests_never_panic_and_print_again() {
    let rounds = mutate::rounds(4000);
    let mut random = mutate::Random(42);
    let (mut read, mut same) = (0, 0);
    for _ in 0..rounds {
        let text = mutate::text(&mut random);
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
