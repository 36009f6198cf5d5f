//! Deterministic discrete-event kernel: virtual time, ordered queue, named random streams, journal, checkpoints.
