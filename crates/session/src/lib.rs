//! The facade: commands in, plain data views out; time travel, forks, share links, why and what-if.
