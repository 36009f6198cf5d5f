//! `kubectl help`, `--help`, and kubectl without a command. What a command does is said in our own words; the flags
//! are those of the command's own table.

use crate::ctx::Ctx;
use crate::fault::{Fault, Res};
use crate::flags::describe;

/// Command, what it does, its usage, an example.
type Entry = (&'static str, &'static str, &'static str, &'static str);

const ENTRIES: &[(&str, &[Entry])] = &[
    (
        "Look",
        &[
            (
                "get",
                "List objects, or show some of them",
                "get (TYPE [NAME...] | TYPE/NAME...) [flags]",
                "kubectl get pods -o wide",
            ),
            (
                "describe",
                "Show an object with its events and what belongs to it",
                "describe (TYPE [NAME] | TYPE/NAME)",
                "kubectl describe pod web",
            ),
            (
                "events",
                "List events",
                "events [--for TYPE/NAME]",
                "kubectl events --for deployment/web",
            ),
            (
                "logs",
                "Print what a container has written",
                "logs POD [-c CONTAINER]",
                "kubectl logs web",
            ),
            (
                "explain",
                "Name the fields of a type",
                "explain TYPE[.FIELD...]",
                "kubectl explain pod.spec.containers",
            ),
            (
                "api-resources",
                "List the types that the server knows",
                "api-resources",
                "kubectl api-resources",
            ),
            (
                "api-versions",
                "List the API versions that the server knows",
                "api-versions",
                "kubectl api-versions",
            ),
            (
                "version",
                "Print the versions of client and server",
                "version",
                "kubectl version",
            ),
            (
                "wait",
                "Wait until something is true of an object",
                "wait TYPE/NAME --for=condition=NAME",
                "kubectl wait pod/web --for=condition=Ready",
            ),
        ],
    ),
    (
        "Create and change",
        &[
            (
                "apply",
                "Make objects as a file says: create them, or change what differs",
                "apply -f FILE [flags]",
                "kubectl apply -f web.yaml",
            ),
            (
                "create",
                "Create an object from a file, or from words",
                "create (-f FILE | TYPE NAME [flags])",
                "kubectl create deployment web --image=nginx",
            ),
            (
                "run",
                "Create one Pod with one container",
                "run NAME --image=IMAGE",
                "kubectl run web --image=nginx",
            ),
            (
                "expose",
                "Create a Service for the Pods of an object",
                "expose TYPE/NAME --port=PORT",
                "kubectl expose deployment web --port=80",
            ),
            (
                "replace",
                "Replace objects by what a file says",
                "replace -f FILE",
                "kubectl replace -f web.yaml",
            ),
            (
                "patch",
                "Change fields of an object",
                "patch TYPE/NAME -p PATCH",
                "kubectl patch deployment web -p '{\"spec\":{\"replicas\":2}}'",
            ),
            (
                "set",
                "Change an image, environment, resources and the like",
                "set (image | env | resources | selector | serviceaccount | subject) ...",
                "kubectl set image deployment/web nginx=nginx:1.27",
            ),
            (
                "label",
                "Put labels on objects, or take them off",
                "label TYPE/NAME KEY=VALUE... KEY-...",
                "kubectl label node node-1 disk=ssd",
            ),
            (
                "annotate",
                "Put annotations on objects, or take them off",
                "annotate TYPE/NAME KEY=VALUE... KEY-...",
                "kubectl annotate pod web note=old",
            ),
            (
                "delete",
                "Delete objects",
                "delete (-f FILE | TYPE NAME... | TYPE -l LABEL=VALUE)",
                "kubectl delete pod web",
            ),
        ],
    ),
    (
        "Run workloads",
        &[
            (
                "scale",
                "Set how many Pods a workload has",
                "scale TYPE/NAME --replicas=N",
                "kubectl scale deployment/web --replicas=5",
            ),
            (
                "autoscale",
                "Create an autoscaler for a workload",
                "autoscale TYPE/NAME --max=N",
                "kubectl autoscale deployment web --max=5",
            ),
            (
                "rollout",
                "Watch, pause, restart or undo a rollout",
                "rollout (status | history | undo | restart | pause | resume) TYPE/NAME",
                "kubectl rollout undo deployment/web",
            ),
        ],
    ),
    (
        "Nodes",
        &[
            (
                "cordon",
                "Let no new Pods onto a node",
                "cordon NODE",
                "kubectl cordon node-1",
            ),
            (
                "uncordon",
                "Let new Pods onto a node again",
                "uncordon NODE",
                "kubectl uncordon node-1",
            ),
            (
                "drain",
                "Cordon a node and evict its Pods",
                "drain NODE [--ignore-daemonsets]",
                "kubectl drain node-1 --ignore-daemonsets",
            ),
            (
                "taint",
                "Put taints on nodes, or take them off",
                "taint NODE KEY=VALUE:EFFECT",
                "kubectl taint node node-1 disk=full:NoSchedule",
            ),
        ],
    ),
];

fn entry(command: &str) -> Option<&'static Entry> {
    let name = command.split(' ').next().unwrap_or(command);
    let mut all = ENTRIES.iter().flat_map(|(_, entries)| entries.iter());
    all.find(|e| e.0 == name)
}

/// Whether there is something to say about a command.
pub(super) fn is_known(command: &str) -> bool {
    entry(command).is_some()
}

/// Whether help is asked for.
pub(super) fn is_asked(words: &[String]) -> bool {
    let before = words.iter().take_while(|w| *w != "--");
    before.into_iter().any(|w| w == "--help" || w == "-h")
}

/// `kubectl help [COMMAND]`.
pub(super) fn run(ctx: &mut Ctx<'_>, words: &[String]) -> Res<()> {
    let named: Vec<&String> = words.iter().filter(|w| !w.starts_with('-')).collect();
    match named.split_first() {
        None => {
            overview(ctx);
            Ok(())
        }
        Some((command, _)) if **command == "help" => {
            overview(ctx);
            Ok(())
        }
        Some((command, rest)) => {
            let mut argv: Vec<String> = vec![(*command).clone()];
            argv.extend(rest.iter().map(|w| (*w).clone()));
            argv.push("--help".into());
            if super::COMMANDS.contains(&command.as_str()) {
                return super::dispatch(ctx, &argv);
            }
            Err(Fault::Text(format!(
                "unknown help topic {}",
                podscope_api::status::quote(command)
            )))
        }
    }
}

/// All commands.
pub(super) fn overview(ctx: &mut Ctx<'_>) {
    ctx.say(
        "kubectl talks to the API server of a Kubernetes cluster; here, to that of the simulation.",
    );
    for (group, entries) in ENTRIES {
        ctx.say("");
        ctx.say(&format!("{group}:"));
        for (name, what, ..) in *entries {
            ctx.say(&format!("  {name:<15} {what}"));
        }
    }
    ctx.say("");
    ctx.say("Usage:");
    ctx.say("  kubectl [command] [TYPE] [NAME] [flags]");
    ctx.say("");
    ctx.say("\"kubectl COMMAND --help\" tells more about one command.");
}

/// One command, with the flags of its table.
pub(super) fn print(ctx: &mut Ctx<'_>, command: &str, table: &'static str) {
    if let Some((_, what, usage, example)) = entry(command) {
        ctx.say(&format!("{what}."));
        ctx.say("");
        ctx.say("Usage:");
        ctx.say(&format!("  kubectl {usage}"));
        ctx.say("");
        ctx.say("Example:");
        ctx.say(&format!("  {example}"));
    } else {
        ctx.say("Usage:");
        ctx.say(&format!("  kubectl {command} [flags]"));
    }
    let lines = describe(table);
    if !lines.is_empty() {
        ctx.say("");
        ctx.say("Flags:");
        for line in lines {
            ctx.say(&format!("  {line}"));
        }
    }
    ctx.say("");
    ctx.say("Flags of every command: -n NAMESPACE, --context, --request-timeout, -h.");
}

/// A command that exists but has nothing to do here.
pub(super) fn not_simulated(ctx: &mut Ctx<'_>, command: &str) {
    ctx.say(&format!(
        "kubectl {command} exists in Kubernetes; it is not simulated here."
    ));
}

#[cfg(test)]
mod tests {
    use crate::{Env, Invocation, Outcome};

    fn run(line: &str) -> (String, String, u8) {
        let invocation = Invocation {
            argv: line.split_whitespace().map(String::from).collect(),
            files: Vec::new(),
            stdin: String::new(),
        };
        let env = Env {
            now: podscope_api::Timestamp(0),
            namespace: "default".into(),
            server: "127.0.0.1:6443".into(),
        };
        match crate::run(&invocation, &env, &[]) {
            Outcome::Done {
                stdout,
                stderr,
                exit_code,
            } => (stdout, stderr, exit_code),
            Outcome::Need { .. } => panic!("help asks nobody"),
        }
    }

    #[test]
    fn every_command_has_help_and_asks_nobody_for_it() {
        for command in super::super::COMMANDS {
            for line in [format!("{command} --help"), format!("help {command}")] {
                let (out, err, exit) = run(&line);
                assert_eq!((err.as_str(), exit), ("", 0), "{line}");
                assert!(!out.is_empty(), "{line}");
            }
        }
        let (out, ..) = run("scale -h");
        assert!(out.contains("--replicas"), "{out}");
        let (out, ..) = run("rollout undo --help");
        assert!(out.contains("--to-revision"), "{out}");
    }

    #[test]
    fn without_a_command_all_are_listed() {
        let (out, _, exit) = run("");
        assert!(out.contains("kubectl [command]") && out.contains("rollout"));
        assert_eq!((run("help").0, exit), (out, 0));
        assert_eq!(run("help nonsense").2, 1);
    }
}
