//! A world with its journal, its trace and its checkpoints: step, seek, fork.

use crate::hash::state_hash;
use crate::time::SimTime;
use std::hash::Hash;
use std::rc::Rc;

/// A simulation as a value.
pub trait World: Clone {
    /// What a person may do to it.
    type Command: Clone + Hash;
    /// What it reports while it runs.
    type Trace: Clone + Hash;

    /// The clock.
    fn now(&self) -> SimTime;
    /// When the next queue entry is due.
    fn next_time(&self) -> Option<SimTime>;
    /// Handles the next queue entry, which moves the clock to its time.
    fn step(&mut self, trace: &mut Vec<Self::Trace>);
    /// Carries out a command at time `at`, which is not before the clock.
    fn command(&mut self, at: SimTime, command: &Self::Command, trace: &mut Vec<Self::Trace>);
    /// Moves the clock forward over a span in which nothing is due.
    fn idle_until(&mut self, at: SimTime);
}

/// A place in a timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// How many trace events have been shown.
    pub events: u64,
    /// The clock.
    pub at: SimTime,
}

#[derive(Clone)]
struct Checkpoint<W> {
    steps: u64,
    events: usize,
    world: W,
    log_hash: u64,
}

/// One journalled command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timed<C> {
    /// When it is carried out: before every queue entry that is due at or after this time.
    pub at: SimTime,
    /// The command.
    pub command: C,
}

/// A world that can be stepped, sought and forked.
///
/// Invariant: replaying the journal from the origin gives the same trace; a mismatch found while
/// replaying panics with the number of the step, because it is a bug of the world.
#[derive(Clone)]
pub struct Timeline<W: World> {
    journal: Rc<Vec<Timed<W::Command>>>,
    next_command: usize,
    world: W,
    steps: u64,
    log: Vec<W::Trace>,
    log_hash: u64,
    /// Trace events shown so far; the world has run to the end of the entry that holds the last one.
    shown: usize,
    /// Trace events produced by the world at its present step.
    produced: usize,
    checkpoints: Vec<Checkpoint<W>>,
    spacing: u64,
    keep_log: bool,
}

/// Checkpoints are taken this many steps apart at first.
const FIRST_SPACING: u64 = 512;
/// When there are more checkpoints than this, every second one is dropped and the spacing doubles.
const MAX_CHECKPOINTS: usize = 96;

impl<W: World> Timeline<W> {
    /// A timeline that starts with `world` and carries out `journal` (sorted by time here).
    pub fn new(world: W, mut journal: Vec<Timed<W::Command>>) -> Timeline<W> {
        // By insertion: journals come nearly in order.
        for end in 1..journal.len() {
            let mut at = end;
            while at > 0 && journal[at - 1].at > journal[at].at {
                journal.swap(at - 1, at);
                at -= 1;
            }
        }
        let origin = Checkpoint {
            steps: 0,
            events: 0,
            world: world.clone(),
            log_hash: 0,
        };
        Timeline {
            journal: Rc::new(journal),
            next_command: 0,
            world,
            steps: 0,
            log: Vec::new(),
            log_hash: 0,
            shown: 0,
            produced: 0,
            checkpoints: vec![origin],
            spacing: FIRST_SPACING,
            keep_log: true,
        }
    }

    /// Runs without keeping the trace or checkpoints (for very large worlds): no way back.
    pub fn forget_history(&mut self) {
        self.keep_log = false;
        self.checkpoints.truncate(1);
    }

    /// The world at the cursor.
    pub fn world(&self) -> &W {
        &self.world
    }
    /// All commands, in order of time.
    pub fn journal(&self) -> &[Timed<W::Command>] {
        &self.journal
    }
    /// The trace up to the furthest moment that was reached; [`Timeline::shown`] says where the cursor is.
    pub fn log(&self) -> &[W::Trace] {
        &self.log
    }
    /// How many trace events lie before the cursor.
    pub fn shown(&self) -> usize {
        self.shown
    }
    /// How many entries and commands have been carried out at the cursor.
    pub fn steps(&self) -> u64 {
        self.steps
    }
    /// A hash of every trace event produced up to the world's present step.
    pub fn log_hash(&self) -> u64 {
        self.log_hash
    }
    /// The cursor.
    pub fn position(&self) -> Position {
        Position {
            events: self.shown as u64,
            at: self.world.now(),
        }
    }
    /// When something next happens, if anything.
    pub fn next_time(&self) -> Option<SimTime> {
        let command = self
            .journal
            .get(self.next_command)
            .map(|t| t.at.max(self.world.now()));
        match (command, self.world.next_time()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Shows one more trace event, running the world as needed. False when nothing is left to happen
    /// before `limit` (the clock then stands at `limit`).
    pub fn step_event(&mut self, limit: SimTime) -> bool {
        while self.shown >= self.produced {
            if self.next_time().is_none_or(|t| t > limit) {
                self.idle_until(limit);
                return false;
            }
            self.execute();
        }
        self.shown += 1;
        true
    }

    /// Carries out one queue entry or command and shows everything that it reports.
    /// False when nothing is left to happen.
    pub fn step_entry(&mut self) -> bool {
        let stepped = self.execute();
        self.shown = self.produced;
        stepped
    }

    fn execute(&mut self) -> bool {
        let Some(next) = self.next_time() else {
            return false;
        };
        let mut trace = Vec::new();
        match self.journal.get(self.next_command) {
            Some(timed) if timed.at <= next => {
                let timed = timed.clone();
                self.next_command += 1;
                self.world.command(next, &timed.command, &mut trace);
            }
            _ => self.world.step(&mut trace),
        }
        self.steps += 1;
        for event in trace {
            self.log_hash = state_hash(&(self.log_hash, &event));
            if self.keep_log && self.produced >= self.log.len() {
                self.log.push(event);
            }
            self.produced += 1;
        }
        self.checkpoint();
        true
    }

    /// Runs until the clock stands at `at`, showing everything on the way.
    pub fn run_until(&mut self, at: SimTime) {
        while self.next_time().is_some_and(|t| t <= at) {
            self.step_entry();
        }
        self.shown = self.produced;
        self.idle_until(at);
    }

    fn idle_until(&mut self, at: SimTime) {
        if at > self.world.now() && at < SimTime::MAX {
            self.world.idle_until(at);
        }
    }

    fn checkpoint(&mut self) {
        if !self.keep_log || !self.steps.is_multiple_of(self.spacing) {
            return;
        }
        match self
            .checkpoints
            .binary_search_by_key(&self.steps, |c| c.steps)
        {
            Ok(i) => assert_eq!(
                self.checkpoints[i].log_hash, self.log_hash,
                "invariant: replay gives the same trace (step {})",
                self.steps
            ),
            Err(i) => self.checkpoints.insert(
                i,
                Checkpoint {
                    steps: self.steps,
                    events: self.produced,
                    world: self.world.clone(),
                    log_hash: self.log_hash,
                },
            ),
        }
        if self.checkpoints.len() > MAX_CHECKPOINTS {
            self.spacing *= 2;
            let spacing = self.spacing;
            self.checkpoints.retain(|c| c.steps.is_multiple_of(spacing));
        }
    }

    /// Moves the cursor so that exactly `events` trace events are shown (or as many as can happen).
    pub fn seek_events(&mut self, events: usize) {
        if events < self.shown {
            self.restore(|c| c.events <= events);
        }
        while self.produced < events && self.step_entry() {}
        self.shown = events.min(self.produced);
    }

    /// Moves the cursor to the moment `at`: everything due at or before it has happened.
    pub fn seek_time(&mut self, at: SimTime) {
        if at < self.world.now() {
            self.restore(|c| c.world.now() <= at);
        }
        self.run_until(at);
    }

    fn restore(&mut self, fits: impl Fn(&Checkpoint<W>) -> bool) {
        let Some(checkpoint) = self.checkpoints.iter().rev().find(|c| fits(c)).cloned() else {
            return;
        };
        let now = checkpoint.world.now();
        self.world = checkpoint.world;
        self.steps = checkpoint.steps;
        self.produced = checkpoint.events;
        self.shown = checkpoint.events;
        self.log_hash = checkpoint.log_hash;
        // Commands at the checkpoint's own time have been carried out when they come before its step count.
        self.next_command = self.journal.partition_point(|t| t.at < now);
        self.next_command += self.world_commands_at(now);
    }

    /// How many commands at exactly `now` the restored world has carried out already: a checkpoint is
    /// taken after a whole step, and commands run before entries of the same time, so all of them have
    /// run unless the checkpoint is the origin.
    fn world_commands_at(&self, now: SimTime) -> usize {
        if self.steps == 0 {
            return 0;
        }
        self.journal.iter().filter(|t| t.at == now).count()
    }

    /// The worlds just before and just after the entry that reports the event at `place` of the log; the
    /// cursor stays. `None` beyond the log. Costs the replay from the nearest checkpoint, twice.
    #[inline(never)]
    pub fn around(&self, place: usize) -> Option<(W, W)> {
        if place >= self.log.len() {
            return None;
        }
        let from = self.checkpoints.iter().rev().find(|c| c.events <= place)?;
        let mut replay = Timeline {
            journal: self.journal.clone(),
            next_command: 0,
            world: from.world.clone(),
            steps: 0,
            log: Vec::new(),
            log_hash: 0,
            shown: 0,
            produced: 0,
            checkpoints: vec![from.clone()],
            spacing: u64::MAX,
            keep_log: false,
        };
        let begin = |replay: &mut Timeline<W>| replay.restore(|_| true);
        begin(&mut replay);
        let mut entries = 0_u64;
        while replay.produced <= place {
            if !replay.execute() {
                return None;
            }
            entries += 1;
        }
        begin(&mut replay);
        for _ in 1..entries {
            replay.execute();
        }
        let before = replay.world.clone();
        replay.execute();
        Some((before, replay.world))
    }

    /// True when the cursor stands before the furthest moment reached.
    pub fn in_past(&self) -> bool {
        self.shown < self.log.len()
    }

    /// Adds a command at the cursor and forgets the future that was known. Clone the timeline first to
    /// keep that future. Returns when the command will be carried out.
    pub fn submit(&mut self, command: W::Command) -> SimTime {
        self.cut_future();
        let at = SimTime(self.world.now().0 + 1);
        Rc::make_mut(&mut self.journal).push(Timed { at, command });
        at
    }

    /// Forgets everything after the cursor: the known future and commands still to come.
    pub fn cut_future(&mut self) {
        // The world may stand at the end of an entry of which only a part is shown; the entry has happened.
        self.shown = self.produced;
        self.log.truncate(self.produced);
        let steps = self.steps;
        self.checkpoints.retain(|c| c.steps <= steps);
        Rc::make_mut(&mut self.journal).truncate(self.next_command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Queue;
    use crate::random::Streams;
    use crate::time::SimDuration;

    /// A counter that schedules itself at random intervals.
    #[derive(Clone)]
    struct Toy {
        now: SimTime,
        queue: Queue<u32>,
        rng: Streams,
        sum: u64,
    }

    impl World for Toy {
        type Command = u32;
        type Trace = (SimTime, u64);
        fn now(&self) -> SimTime {
            self.now
        }
        fn next_time(&self) -> Option<SimTime> {
            self.queue.next_time()
        }
        fn step(&mut self, trace: &mut Vec<(SimTime, u64)>) {
            let Some((at, n)) = self.queue.pop() else {
                return;
            };
            self.now = at;
            self.sum += u64::from(n);
            trace.push((at, self.sum));
            trace.push((at, 0));
            let wait = self.rng.stream("wait").between(0, 3);
            self.queue.push(at + SimDuration(wait), n % 7 + 1);
        }
        fn command(&mut self, at: SimTime, n: &u32, trace: &mut Vec<(SimTime, u64)>) {
            self.now = at;
            self.sum += u64::from(*n) * 1000;
            trace.push((at, self.sum));
        }
        fn idle_until(&mut self, at: SimTime) {
            self.now = at;
        }
    }

    fn toy() -> Timeline<Toy> {
        let mut queue = Queue::default();
        queue.push(SimTime(0), 1);
        Timeline::new(
            Toy {
                now: SimTime(0),
                queue,
                rng: Streams::new(3),
                sum: 0,
            },
            Vec::new(),
        )
    }

    #[test]
    fn the_worlds_around_an_event_are_those_that_a_walk_meets() {
        let mut t = toy();
        t.run_until(SimTime(3_000));
        t.submit(5);
        t.run_until(SimTime(9_000));
        for place in [0, 1, 2, 1_999, t.log().len() - 1] {
            let (before, after) = t.around(place).expect("known");
            let mut walk = t.clone();
            walk.seek_events(0);
            let mut last = walk.world().clone();
            while walk.produced <= place {
                last = walk.world().clone();
                assert!(walk.execute(), "the event is reported by some entry");
            }
            assert_eq!((last.sum, last.now), (before.sum, before.now));
            assert_eq!((walk.world().sum, walk.world().now), (after.sum, after.now));
        }
        assert!(t.around(t.log().len()).is_none());
    }

    #[test]
    fn seek_back_and_forth_is_the_same_world() {
        let mut t = toy();
        t.run_until(SimTime(3_000));
        t.submit(5);
        t.run_until(SimTime(200_000));
        let (hash, sum, shown) = (t.log_hash(), t.world().sum, t.shown());
        for target in [0, 17, shown / 2, shown - 1, 2_990, 3_001] {
            t.seek_events(target);
            assert_eq!(t.shown(), target);
        }
        t.seek_time(SimTime(3_001));
        t.seek_time(SimTime(200_000));
        assert_eq!((t.log_hash(), t.world().sum, t.shown()), (hash, sum, shown));
        assert!(t.checkpoints.len() <= MAX_CHECKPOINTS);

        let mut again = Timeline::new(toy().world.clone(), t.journal().to_vec());
        again.run_until(SimTime(200_000));
        assert_eq!(
            again.log_hash(),
            hash,
            "an exported journal replays to the same trace"
        );
    }

    #[test]
    fn a_command_in_the_past_cuts_the_future() {
        let mut t = toy();
        t.run_until(SimTime(500));
        let kept = t.clone();
        t.seek_time(SimTime(100));
        assert!(t.in_past());
        t.submit(9);
        assert!(!t.in_past());
        t.run_until(SimTime(500));
        assert_ne!(t.log_hash(), kept.log_hash());
    }

    #[test]
    fn single_events_inside_one_entry_can_be_shown() {
        let mut t = toy();
        assert!(t.step_event(SimTime(10)));
        assert_eq!((t.shown(), t.produced), (1, 2));
        assert!(t.step_event(SimTime(10)));
        assert_eq!((t.shown(), t.produced), (2, 2));
    }
}
