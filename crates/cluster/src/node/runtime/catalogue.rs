//! A small registry: what images are made of, how big they are and what they run.
//!
//! Digests are the SHA-256 of an image's own name, so that they look real and never change.
//! An unknown image is a server of a size that follows from its name.

use crate::node::sha256::hex;
use podscope_api::Text;
use podscope_kernel::state_hash;

/// A layer: its digest and compressed size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    /// `sha256:…`
    pub digest: Text,
    /// Compressed size in bytes.
    pub bytes: u64,
}

/// An image as the registry describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    /// The full name, such as `docker.io/library/nginx:1.27`.
    pub name: Text,
    /// Digest of the index that the tag names.
    pub digest: Text,
    /// Digest of the manifest for linux/amd64.
    pub manifest: Text,
    /// Digest of the config: the image's ID.
    pub config: Text,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// ENTRYPOINT.
    pub entrypoint: &'static [&'static str],
    /// CMD.
    pub cmd: &'static [&'static str],
    /// STOPSIGNAL.
    pub stop_signal: &'static str,
    /// USER, as a number.
    pub user: i64,
}

impl Image {
    /// Compressed size of all layers in bytes.
    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|l| l.bytes).sum()
    }
    /// The repository without tag or digest.
    pub fn repository(&self) -> &str {
        repository(&self.name)
    }
    /// `repository@sha256:…`, as Pod statuses show it.
    pub fn by_digest(&self) -> String {
        format!("{}@{}", self.repository(), self.digest)
    }
}

struct Entry {
    name: &'static str,
    base: &'static str,
    /// Sizes in KiB of the layers above the base.
    layers: &'static [u64],
    entrypoint: &'static [&'static str],
    cmd: &'static [&'static str],
    stop_signal: &'static str,
}

const fn entry(
    name: &'static str,
    base: &'static str,
    layers: &'static [u64],
    entrypoint: &'static [&'static str],
    cmd: &'static [&'static str],
) -> Entry {
    Entry {
        name,
        base,
        layers,
        entrypoint,
        cmd,
        stop_signal: "SIGTERM",
    }
}

const fn stopped_by(mut entry: Entry, signal: &'static str) -> Entry {
    entry.stop_signal = signal;
    entry
}

const DOCKER: &[&str] = &["docker-entrypoint.sh"];

const ENTRIES: &[Entry] = &[
    stopped_by(
        entry(
            "nginx",
            "debian",
            &[41_200, 1, 1, 2, 2, 5],
            &["/docker-entrypoint.sh"],
            &["nginx", "-g", "daemon off;"],
        ),
        "SIGQUIT",
    ),
    stopped_by(
        entry(
            "httpd",
            "debian",
            &[1, 4_100, 26_400, 1],
            &[],
            &["httpd-foreground"],
        ),
        "SIGWINCH",
    ),
    entry(
        "redis",
        "debian",
        &[1, 1_400, 16_800, 1],
        DOCKER,
        &["redis-server"],
    ),
    stopped_by(
        entry(
            "postgres",
            "debian",
            &[4_500, 1_500, 8_100, 110_600, 10],
            DOCKER,
            &["postgres"],
        ),
        "SIGINT",
    ),
    entry(
        "mysql",
        "oraclelinux",
        &[950, 6_000, 48_000, 128_000],
        DOCKER,
        &["mysqld"],
    ),
    entry(
        "mariadb",
        "ubuntu",
        &[1_700, 7_400, 87_000],
        DOCKER,
        &["mariadbd"],
    ),
    entry(
        "mongo",
        "ubuntu",
        &[1_500, 1_100, 247_000],
        DOCKER,
        &["mongod"],
    ),
    entry(
        "memcached",
        "debian",
        &[1, 1_100, 1_200],
        DOCKER,
        &["memcached"],
    ),
    entry(
        "rabbitmq",
        "ubuntu",
        &[39_000, 9_300, 17_500],
        DOCKER,
        &["rabbitmq-server"],
    ),
    entry(
        "haproxy",
        "debian",
        &[1, 17_200],
        DOCKER,
        &["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
    ),
    entry(
        "traefik",
        "alpine",
        &[700, 44_800],
        &["/entrypoint.sh"],
        &["traefik"],
    ),
    entry(
        "caddy",
        "alpine",
        &[320, 15_700],
        &[],
        &["caddy", "run", "--config", "/etc/caddy/Caddyfile"],
    ),
    entry(
        "python",
        "debian",
        &[24_000, 64_400, 211_000, 6_100, 24_800],
        &[],
        &["python3"],
    ),
    entry(
        "node",
        "debian",
        &[24_000, 64_400, 211_000, 48_000, 1_200],
        DOCKER,
        &["node"],
    ),
    entry(
        "golang",
        "debian",
        &[24_000, 64_400, 92_000, 76_000],
        &[],
        &["bash"],
    ),
    entry("openjdk", "debian", &[13_500, 187_000], &[], &["jshell"]),
    entry(
        "ruby",
        "debian",
        &[24_000, 64_400, 211_000, 37_000],
        &[],
        &["irb"],
    ),
    entry(
        "php",
        "debian",
        &[104_000, 12_800, 14_000],
        &["docker-php-entrypoint"],
        &["php-fpm"],
    ),
    entry(
        "wordpress",
        "debian",
        &[104_000, 12_800, 14_000, 27_000],
        DOCKER,
        &["apache2-foreground"],
    ),
    entry("busybox", "", &[2_160], &[], &["sh"]),
    entry("alpine", "alpine", &[], &[], &["/bin/sh"]),
    entry("debian", "debian", &[], &[], &["bash"]),
    entry("ubuntu", "ubuntu", &[], &[], &["/bin/bash"]),
    entry("hello-world", "", &[3], &[], &["/hello"]),
    entry("pause", "", &[316], &["/pause"], &[]),
    entry("curl", "alpine", &[6_300], &["/entrypoint.sh"], &["curl"]),
    entry("coredns", "", &[100, 15_300], &["/coredns"], &[]),
    entry(
        "agnhost",
        "alpine",
        &[21_000, 34_000],
        &["/agnhost"],
        &["pause"],
    ),
    entry(
        "envoy",
        "ubuntu",
        &[2_700, 34_000, 26_000],
        &["/docker-entrypoint.sh"],
        &["envoy", "-c", "/etc/envoy/envoy.yaml"],
    ),
    entry(
        "fluent-bit",
        "debian",
        &[4_200, 26_000],
        &["/fluent-bit/bin/fluent-bit"],
        &["-c", "/fluent-bit/etc/fluent-bit.conf"],
    ),
    entry("http-echo", "", &[3_100], &["/http-echo"], &[]),
    entry("whoami", "", &[2_900], &["/whoami"], &[]),
];

/// Base images with their size in KiB.
const BASES: &[(&str, u64)] = &[
    ("debian", 28_400),
    ("ubuntu", 29_000),
    ("alpine", 3_700),
    ("oraclelinux", 46_500),
];

/// A name with registry, namespace and tag: `nginx` is `docker.io/library/nginx:latest`.
///
/// # Errors
/// What the kubelet says about a name that cannot be read.
pub fn full_name(name: &str) -> Result<String, String> {
    let (path, digest) = match name.split_once('@') {
        Some((path, digest)) => (path, Some(digest)),
        None => (name, None),
    };
    let slash = path.rfind('/').map_or(0, |at| at + 1);
    let (repository, tag) = match path.get(slash..).unwrap_or("").find(':') {
        Some(at) => (&path[..slash + at], Some(&path[slash + at + 1..])),
        None => (path, None),
    };
    let first = repository.split('/').next().unwrap_or("");
    let has_host = repository.contains('/')
        && (first.contains('.') || first.contains(':') || first == "localhost");
    let local = if has_host {
        repository.get(first.len() + 1..).unwrap_or("")
    } else {
        repository
    };
    let host = if has_host { first } else { "docker.io" };
    let remainder = if !has_host && !local.contains('/') {
        format!("library/{local}")
    } else {
        local.to_string()
    };
    let shown = if tag.is_none() && digest.is_none() {
        format!("{name}:latest")
    } else {
        name.to_string()
    };
    if local.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(format!(
            "Failed to apply default image tag \"{shown}\": couldn't parse image name \"{shown}\": invalid reference format: repository name ({remainder}) must be lowercase"
        ));
    }
    let good = |part: &str, more: &[u8]| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b))
    };
    let tag_ok = tag.is_none_or(|t| {
        !t.is_empty()
            && t.len() <= 128
            && t.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    });
    if !remainder.split('/').all(|p| good(p, b"._-")) || !tag_ok {
        return Err(format!(
            "Failed to apply default image tag \"{shown}\": couldn't parse image name \"{shown}\": invalid reference format"
        ));
    }
    Ok(match (tag, digest) {
        (_, Some(digest)) => format!("{host}/{remainder}@{digest}"),
        (Some(tag), None) => format!("{host}/{remainder}:{tag}"),
        (None, None) => format!("{host}/{remainder}:latest"),
    })
}

/// The repository of a full name.
pub fn repository(full: &str) -> &str {
    let path = full.split('@').next().unwrap_or(full);
    let slash = path.rfind('/').map_or(0, |at| at + 1);
    match path.get(slash..).unwrap_or("").find(':') {
        Some(at) => path.get(..slash + at).unwrap_or(path),
        None => path,
    }
}

/// The image that the registry has under a full name.
pub fn image(full: &str) -> Image {
    let repository = repository(full);
    let short = repository.rsplit('/').next().unwrap_or(repository);
    let tag = full.get(repository.len()..).unwrap_or("");
    let alpine = tag.contains("alpine");
    let slim = tag.contains("slim");
    let entry = ENTRIES.iter().find(|e| e.name == short);
    let draw = state_hash(full);
    let unknown = [900 + draw % 4_000, 6_000 + draw % 38_000, 12 + draw % 50];
    let own: &[u64] = entry.map_or(&unknown, |e| e.layers);
    let base = match entry {
        _ if alpine => "alpine",
        Some(e) => e.base,
        None => ["debian", "alpine"][(draw >> 32) as usize % 2],
    };
    let mut layers = Vec::with_capacity(own.len() + 1);
    if let Some((name, kib)) = BASES.iter().find(|(name, _)| *name == base) {
        layers.push(Layer {
            digest: digest("layer", name),
            bytes: kib * 1024,
        });
    }
    for (i, kib) in own.iter().enumerate() {
        let kib = if alpine || slim { kib / 3 + 1 } else { *kib };
        layers.push(Layer {
            digest: digest("layer", &format!("{full}/{i}")),
            bytes: kib * 1024,
        });
    }
    let given = full.split_once('@').map(|(_, d)| Text::from(d));
    Image {
        name: full.into(),
        digest: given.unwrap_or_else(|| digest("index", full)),
        manifest: digest("manifest", full),
        config: digest("config", full),
        layers,
        entrypoint: entry.map_or(&["/app"], |e| e.entrypoint),
        cmd: entry.map_or(&[], |e| e.cmd),
        stop_signal: entry.map_or("SIGTERM", |e| e.stop_signal),
        user: if short == "pause" { 65_535 } else { 0 },
    }
}

fn digest(what: &str, name: &str) -> Text {
    format!("sha256:{}", hex(&format!("{what} {name}"))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed() {
        let full = |n: &str| full_name(n).unwrap_or_else(|e| e);
        assert_eq!(full("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(full("nginx:1.27"), "docker.io/library/nginx:1.27");
        assert_eq!(full("bitnami/redis"), "docker.io/bitnami/redis:latest");
        assert_eq!(full("localhost:5000/a/b:1"), "localhost:5000/a/b:1");
        assert_eq!(
            full("NGINX"),
            "Failed to apply default image tag \"NGINX:latest\": couldn't parse image name \"NGINX:latest\": invalid reference format: repository name (library/NGINX) must be lowercase"
        );
        assert!(full_name("a b").is_err() && full_name("").is_err() && full_name("x/").is_err());
        assert_eq!(repository("localhost:5000/a/b:1"), "localhost:5000/a/b");
    }

    #[test]
    fn layers_are_shared() {
        let nginx = image("docker.io/library/nginx:1.27");
        let redis = image("docker.io/library/redis:7");
        assert_eq!(nginx.layers[0], redis.layers[0]);
        assert_eq!(image("x.io/unknown:1"), image("x.io/unknown:1"));
        assert!(
            nginx
                .by_digest()
                .starts_with("docker.io/library/nginx@sha256:")
        );
    }
}
