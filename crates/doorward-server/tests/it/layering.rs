//! The house, as a table that cargo's own metadata is held against: who may see whom.
//!
//! A crate of the workspace exists to forbid something. Each row below says what: of our own crates it may use those of `may`, and
//! nothing of `never`, neither directly nor through anything that it uses. Dependencies for tests alone are not looked at, but for
//! the one rule that the testkit is nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::Path,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId};

/// What one crate may see.
struct Row {
    krate: &'static str,
    /// Our own crates that it may depend on.
    may: &'static [&'static str],
    /// What it must never see, also not through something else.
    never: &'static [&'static [&'static str]],
}

const RUNTIME: &[&str] = &["tokio", "mio", "async-std", "smol"];
const HTTP: &[&str] = &["hyper", "hyper-util", "axum", "tower", "reqwest", "ureq"];
const HTTP_WORDS: &[&str] = &["http", "http-body", "httparse"];
const SQL: &[&str] = &["rusqlite", "libsqlite3-sys", "sqlx", "tokio-postgres", "diesel"];
const BROKERS: &[&str] = &["redis", "async-nats"];
const SECOND_CRYPTO: &[&str] = &["openssl", "openssl-sys", "native-tls", "ring"];
const WEBSOCKETS: &[&str] = &["tungstenite", "tokio-tungstenite", "tokio-websockets", "fastwebsockets"];
const ENTROPY: &[&str] = &["getrandom", "rand", "fastrand"];

const HOUSE: &[Row] = &[
    Row {
        krate: "doorward-types",
        may: &[],
        never: &[
            RUNTIME,
            HTTP,
            HTTP_WORDS,
            SQL,
            BROKERS,
            WEBSOCKETS,
            SECOND_CRYPTO,
            ENTROPY,
            &["serde_json", "aws-lc-rs"],
        ],
    },
    Row {
        krate: "doorward-wire",
        may: &["doorward-types"],
        never: &[RUNTIME, HTTP, HTTP_WORDS, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO, ENTROPY, &["tracing"]],
    },
    Row {
        krate: "doorward-auth",
        may: &["doorward-types"],
        never: &[HTTP, HTTP_WORDS, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    Row {
        krate: "doorward-session",
        may: &["doorward-types", "doorward-wire", "doorward-auth"],
        never: &[HTTP, HTTP_WORDS, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    Row {
        krate: "doorward-store",
        may: &["doorward-types", "doorward-auth"],
        never: &[HTTP, HTTP_WORDS, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    // whom a machine trusts, and how TLS is spoken with it, the client knows
    Row {
        krate: "doorward-outbound",
        may: &["doorward-types", "doorward-auth", "doorward-client"],
        never: &[SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO, &["axum", "tower", "reqwest", "ureq"]],
    },
    Row {
        krate: "doorward-backends",
        may: &["doorward-types", "doorward-wire", "doorward-auth", "doorward-session"],
        never: &[HTTP, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    // the site finds its pages with axum, and sees no socket: what it shows and ends of those it asks for through traits. That axum
    // has a server of its own is the example's choice, whose features cargo's metadata gives to all
    Row {
        krate: "doorward-web",
        may: &["doorward-types", "doorward-auth"],
        never: &[SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO, &["reqwest", "ureq"]],
    },
    Row {
        krate: "doorward-server",
        may: &[
            "doorward-types",
            "doorward-wire",
            "doorward-auth",
            "doorward-session",
            "doorward-store",
            "doorward-backends",
            "doorward-client",
            "doorward-outbound",
            "doorward-web",
        ],
        never: &[BROKERS, WEBSOCKETS, SECOND_CRYPTO, &["reqwest", "ureq"]],
    },
    Row {
        krate: "doorward-client",
        may: &["doorward-types", "doorward-wire"],
        never: &[HTTP, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    Row {
        krate: "doorward-testkit",
        may: &["doorward-types", "doorward-wire", "doorward-auth", "doorward-session"],
        never: &[HTTP, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    // the bench measures the binary from outside, so that it can measure any other server with the same ruler; what compares
    // secrets it measures by itself
    Row {
        krate: "doorward-bench",
        may: &["doorward-types", "doorward-auth"],
        never: &[HTTP, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    Row {
        krate: "doorward-fuzz",
        may: &["doorward-types", "doorward-wire", "doorward-auth"],
        never: &[HTTP, SQL, BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    Row {
        krate: "embed-axum",
        may: &[
            "doorward-types",
            "doorward-wire",
            "doorward-auth",
            "doorward-session",
            "doorward-backends",
            "doorward-server",
        ],
        never: &[BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
    Row {
        krate: "shop",
        may: &["doorward-types", "doorward-wire", "doorward-auth", "doorward-backends", "doorward-server"],
        never: &[BROKERS, WEBSOCKETS, SECOND_CRYPTO],
    },
];

/// The workspace as cargo resolves it for the machine that runs the test.
struct Workspace {
    metadata: Metadata,
    /// What each package uses when it is built for use: normal dependencies alone.
    uses: BTreeMap<PackageId, Vec<PackageId>>,
}

impl Workspace {
    fn read() -> Result<Self, Box<dyn Error>> {
        let metadata = MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), "host-tuple".to_owned()])
            .exec()?;
        let resolve = metadata.resolve.as_ref().ok_or("cargo has not resolved the workspace")?;
        let uses = resolve.nodes.iter().map(|node| {
            let normal = node.deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|info| info.kind == DependencyKind::Normal)
                    && is_built(&metadata[&node.id], node, metadata[&dependency.pkg].name.as_str())
            });
            (node.id.clone(), normal.map(|dependency| dependency.pkg.clone()).collect())
        });
        Ok(Self { uses: uses.collect(), metadata })
    }

    fn members(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    fn name(&self, id: &PackageId) -> &str {
        self.metadata.packages.iter().find(|package| package.id == *id).map_or("?", |package| package.name.as_str())
    }

    /// All that a crate sees, directly or not, each with the shortest way to it.
    fn sees(&self, member: &Package) -> BTreeMap<&str, String> {
        let mut seen = BTreeMap::new();
        let mut next = vec![(&member.id, member.name.to_string())];
        while let Some((id, way)) = next.pop() {
            for used in self.uses.get(id).into_iter().flatten() {
                let name = self.name(used);
                if !seen.contains_key(name) {
                    let way = format!("{way} -> {name}");
                    seen.insert(name, way.clone());
                    next.insert(0, (used, way));
                }
            }
        }
        seen
    }
}

/// Whether a package is built with that dependency. Cargo lists an optional one also where a feature merely says what holds if
/// another feature asks for it (`ring?/alloc`).
fn is_built(package: &Package, node: &Node, dependency: &str) -> bool {
    let always = package.dependencies.iter().any(|listed| listed.name == dependency && !listed.optional);
    let names = package.dependencies.iter().filter(|listed| listed.name == dependency);
    let names: Vec<_> = names.map(|listed| listed.rename.as_deref().unwrap_or(dependency)).collect();
    let asks = |says: &String| {
        let asked = says.strip_prefix("dep:").or_else(|| says.split_once('/').map(|(asked, _)| asked)).unwrap_or(says);
        names.contains(&asked)
    };
    let active = node.features.iter().filter_map(|feature| package.features.get(feature.as_str()));
    always || active.flatten().any(asks)
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn row(krate: &str) -> Option<&'static Row> {
    HOUSE.iter().find(|row| row.krate == krate)
}

#[test]
fn every_crate_has_a_row_in_the_house_and_every_row_a_crate() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::read()?;
    let crates: BTreeSet<_> = workspace.members().into_iter().map(|member| member.name.to_string()).collect();
    let rows: BTreeSet<_> = HOUSE.iter().map(|row| row.krate.to_owned()).collect();
    assert_eq!(crates, rows);
    Ok(())
}

#[test]
fn every_crate_uses_only_those_of_ours_that_it_may() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::read()?;
    let ours: BTreeSet<_> = workspace.members().into_iter().map(|member| member.id.clone()).collect();
    let mut broken = Vec::new();
    for member in workspace.members() {
        let may = row(&member.name).map_or(&[] as &[&str], |row| row.may);
        for used in workspace.uses.get(&member.id).into_iter().flatten().filter(|used| ours.contains(*used)) {
            let used = workspace.name(used);
            if !may.contains(&used) {
                broken.push(format!("{} depends on {used}, but may use only {may:?}", member.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

#[test]
fn no_crate_sees_what_it_must_never_see() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::read()?;
    let mut broken = Vec::new();
    for member in workspace.members() {
        let Some(row) = row(&member.name) else { continue };
        let seen = workspace.sees(member);
        for never in row.never.iter().copied().flatten() {
            if let Some(way) = seen.get(never) {
                broken.push(format!("{} must never see {never}: {way}", row.krate));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

#[test]
fn the_walk_through_the_graph_goes_all_the_way() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::read()?;
    let members = workspace.members();
    let server = members.iter().find(|member| member.name.as_str() == "doorward-server").ok_or("no server")?;
    let seen = workspace.sees(server);
    assert!(seen.contains_key("libsqlite3-sys"), "seen through the store, where the server does not name it");
    assert!(!seen.contains_key("trybuild"), "a dependency of tests alone");
    assert!(seen.contains_key("aws-lc-sys"), "an optional one that a feature asks for");
    assert!(!seen.contains_key("ring"), "an optional one that none asks for");
    Ok(())
}

#[test]
fn the_testkit_is_for_tests_alone() -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::read()?;
    for member in workspace.members() {
        for dependency in member.dependencies.iter().filter(|dependency| dependency.name == "doorward-testkit") {
            assert_eq!(
                dependency.kind,
                DependencyKind::Development,
                "{} uses the testkit outside its tests",
                member.name
            );
        }
    }
    Ok(())
}

#[test]
fn nothing_is_published_by_accident() -> Result<(), Box<dyn Error>> {
    for member in Workspace::read()?.members() {
        assert_eq!(member.publish.as_deref(), Some(&[] as &[String]), "{} lacks `publish = false`", member.name);
    }
    Ok(())
}

#[test]
fn every_member_has_a_caption_in_the_root_manifest() -> Result<(), Box<dyn Error>> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let (_, list) = manifest.split_once("\nmembers = [\n").ok_or("no list of members")?;
    let (list, _) = list.split_once("\n]").ok_or("the list of members has no end")?;
    let lines: Vec<_> = list.lines().map(str::trim).collect();
    let mut captioned = 0;
    let mut above = "";
    for line in lines {
        if line.starts_with('"') {
            assert!(above.starts_with("# "), "{line} has no caption above it");
            captioned += 1;
        }
        above = line;
    }
    assert_eq!(captioned, HOUSE.len());
    Ok(())
}

/// The files and folders at the top of a crate, as its bullet in ARCHITECTURE.md names them.
fn mapped(architecture: &str, krate: &str) -> BTreeSet<String> {
    let bullet = architecture.split_once(&format!("\n* **{krate}.**")).map_or("", |(_, after)| after);
    let bullet = bullet.split("\n* ").next().unwrap_or_default().split("\n\n").next().unwrap_or_default();
    bullet.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What is in a folder, without the ends of the files' names.
fn names_in(folder: &Path) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        names.insert(entry?.path().file_stem().and_then(|name| name.to_str()).ok_or("no text for a name")?.to_owned());
    }
    Ok(names)
}

#[test]
fn every_file_and_folder_at_the_top_of_a_crate_is_on_the_map_and_nothing_else_is() -> Result<(), Box<dyn Error>> {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let crates = root().join("crates");
    for krate in names_in(&crates)? {
        let mut there = names_in(&crates.join(&krate).join("src"))?;
        there.retain(|name| !["lib", "main"].contains(&name.as_str()));
        assert_eq!(mapped(&architecture, &krate), there, "{krate}");
    }
    Ok(())
}
