//! How commands that change something say what they did, and `--dry-run`.

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::Flags;
use crate::output::{self, Format};
use crate::target::{self, Info};
use podscope_api::request::FieldValidation;
use podscope_api::{Kind, Object, PatchType, Request, Value};
use std::rc::Rc;

/// Whether changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DryRun {
    No,
    Client,
    Server,
}

impl DryRun {
    pub fn read(ctx: &mut Ctx<'_>, flags: &Flags) -> Res<DryRun> {
        match flags.str("dry-run") {
            "" | "none" => Ok(DryRun::No),
            "client" => Ok(DryRun::Client),
            "server" => Ok(DryRun::Server),
            "unchanged" => {
                ctx.complain("W0000 00:00:00.000000       1 helpers.go:731] --dry-run is deprecated and can be replaced with --dry-run=client.");
                Ok(DryRun::Client)
            }
            other => Err(Fault::Text(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            ))),
        }
    }

    pub fn suffix(self) -> &'static str {
        match self {
            DryRun::No => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }
}

/// The output flags of a command that changes something.
pub(crate) struct Report {
    pub format: Format,
    pub dry_run: DryRun,
    pub show_managed: bool,
    pub manager: &'static str,
}

impl Report {
    pub fn read(ctx: &mut Ctx<'_>, flags: &Flags, manager: &'static str) -> Res<Report> {
        Ok(Report {
            format: Format::read(flags, false)?,
            dry_run: DryRun::read(ctx, flags)?,
            show_managed: flags.is("show-managed-fields"),
            manager,
        })
    }

    /// True when `-o` asks for the objects themselves.
    pub fn prints_object(&self) -> bool {
        !matches!(self.format, Format::Default | Format::Name)
    }

    /// `deployment.apps/web scaled`, or the object.
    pub fn done(&self, ctx: &mut Ctx<'_>, kind: Kind, object: &Object, what: &str) -> Res<()> {
        let title = target::title(kind, object.name());
        if let Format::Default = self.format {
            let suffix = self.dry_run.suffix();
            ctx.say(&format!("{title} {what}{suffix}"));
            return Ok(());
        }
        let shown = if self.show_managed {
            object.0.clone()
        } else {
            output::hide_managed(object)
        };
        let text = output::print(&self.format, &shown, &title)?;
        ctx.out.push_str(&text);
        Ok(())
    }

    /// Sets what every changing request carries.
    pub fn options(&self, request: &mut Request, strict: bool) {
        request.options.field_manager = self.manager.into();
        request.options.dry_run = self.dry_run == DryRun::Server;
        if strict {
            request.options.field_validation = FieldValidation::Strict;
        }
    }

    /// Patches an object; gives it back as it is then.
    pub fn patch(
        &self,
        ctx: &mut Ctx<'_>,
        info: &Info,
        patch_type: PatchType,
        patch: Value,
        strict: bool,
    ) -> Res<Rc<Object>> {
        let place = if info.kind.namespaced() {
            info.namespace()
        } else {
            ""
        };
        let mut request = Request::patch(info.kind, place, info.name(), "", patch_type, patch);
        self.options(&mut request, strict);
        Ok(target::typed(info.kind, &ctx.send(request)?.object))
    }

    /// Creates an object unless this is a dry run of the client.
    pub fn create(
        &self,
        ctx: &mut Ctx<'_>,
        kind: Kind,
        object: Object,
        strict: bool,
    ) -> Res<Rc<Object>> {
        if self.dry_run == DryRun::Client {
            return Ok(Rc::new(object));
        }
        let namespace = if kind.namespaced() {
            match object.namespace() {
                "" => ctx.namespace.clone(),
                own => own.to_string(),
            }
        } else {
            String::new()
        };
        let mut request = Request::create(kind, object);
        request.namespace = namespace.into();
        self.options(&mut request, strict);
        Ok(target::typed(kind, &ctx.send(request)?.object))
    }
}
