//! Carries out an answer to "what would have to change?" in a future of its own.

use crate::scenario::split_words;
use crate::session::Session;
use crate::simulation::Command;
use crate::view::*;
use podscope_kubectl::Invocation;
use std::rc::Rc;

/// The most queue entries that a command is waited for before the next one is given.
const MOST_ENTRIES: u32 = 20_000;

/// Gives the answer's commands one after the other, in a future that forks at the cursor; the cursor goes to the
/// first of them.
///
/// # Errors
/// Why a command cannot be read; then nothing has happened.
#[inline(never)]
pub fn try_out(session: &mut Session, answer: &AnswerView) -> Result<(), Refused> {
    let mut commands = Vec::new();
    for line in answer.commands.iter() {
        let refused = |_| {
            let line = Arg::Text(line.clone());
            Msg::new("refused.unreadable", vec![("command", line)])
        };
        let argv = split_words(line).map_err(refused)?;
        let files = answer.files.iter();
        commands.push(Command::Kubectl(Rc::new(Invocation {
            argv,
            files: files
                .map(|(name, text)| (name.to_string(), text.to_string()))
                .collect(),
            stdin: String::new(),
        })));
    }
    if commands.is_empty() {
        return Err(Msg::plain("refused.empty-command"));
    }
    session.act_in_turn(commands, MOST_ENTRIES);
    Ok(())
}
