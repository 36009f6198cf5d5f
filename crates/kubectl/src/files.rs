//! Manifests from files.

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use podscope_api::{Kind, Object};

/// An object as a file gives it.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub kind: Kind,
    pub object: Object,
    /// The file's name.
    pub source: String,
}

pub(crate) fn manifests(_ctx: &mut Ctx<'_>, _flags: &Flags) -> Res<Vec<Res<Manifest>>> {
    Err(Fault::text("not yet"))
}
