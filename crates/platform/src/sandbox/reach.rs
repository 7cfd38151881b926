//! This owns what the server may reach, worked out from its settings. It does not enforce it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::mail::Route;

/// What may be read, and what for. Whole folders stand here only where nothing in them is secret.
const READ: [(&str, &[&str]); 5] = [
    (
        "the roots that TLS trusts, as each distribution keeps them",
        &[
            "/etc/ssl/certs",
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/ssl/cert.pem",
            "/etc/ssl/ca-bundle.pem",
            "/etc/pki/tls/certs",
            "/etc/pki/tls/cert.pem",
            "/etc/pki/ca-trust/extracted",
            "/etc/ca-certificates/extracted",
            "/usr/share/ca-certificates",
            "/usr/local/share/ca-certificates",
            "/var/lib/ca-certificates",
        ],
    ),
    (
        "where names of other machines are looked up",
        &[
            "/etc/resolv.conf",
            "/etc/hosts",
            "/etc/host.conf",
            "/etc/nsswitch.conf",
            "/etc/gai.conf",
            "/run/systemd/resolve",
        ],
    ),
    (
        "what lies under the root of the keys",
        &["/proc/fs", "/proc/swaps", "/sys/block", "/sys/dev/block", "/sys/devices/virtual/block"],
    ),
    ("this process, and how much of the machine it may use", &["/proc/self", "/sys/fs/cgroup"]),
    ("sources of nothing and of chance", &["/dev/null", "/dev/urandom"]),
];

/// Port of name servers.
const DNS: u16 = 53;

/// What is left to a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Folders and files to work in.
    pub(super) work: Vec<PathBuf>,
    /// Folders and files to read.
    pub(super) read: Vec<PathBuf>,
    /// TCP ports to listen on.
    pub(super) listen: Vec<u16>,
    /// TCP ports to connect to.
    pub(super) connect: Vec<u16>,
}

impl Reach {
    /// What a server with these settings needs. Its folders have to be there.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let mail = match &settings.mail {
            Route::Folder(dir) => Some(dir.as_path()),
            Route::Smtp(_) | Route::Terminal => None,
        };
        let folders = [Some(settings.data.as_path()), Some(settings.anchor()), mail];
        let read = READ.iter().flat_map(|(_, paths)| paths.iter().map(PathBuf::from));
        Self {
            work: folders.into_iter().flatten().flat_map(with_links).collect(),
            read: read.chain(crate::config::tls_roots()).collect(),
            listen: [Some(settings.listen), settings.metrics]
                .iter()
                .flatten()
                .map(SocketAddr::port)
                .collect(),
            connect: ports(settings),
        }
    }
}

/// A folder, and what the links in it lead to: an operator may keep the pictures on another disk.
fn with_links(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    let targets = links.filter_map(|link| std::fs::canonicalize(link.path()).ok());
    std::iter::once(folder.to_owned()).chain(targets).collect()
}

/// Ports of those that the settings let the program speak to.
fn ports(settings: &Settings) -> Vec<u16> {
    let mut ports: Vec<u16> = crate::outgoing::peers(settings).iter().map(|peer| peer.port).collect();
    // Who speaks to nobody looks nobody up.
    if !ports.is_empty() {
        ports.push(DNS);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(args: &[&str]) -> Reach {
        let command = clap::Command::new("t").args(crate::config::arguments());
        Reach::of(&Settings::resolve(&command.get_matches_from([&["t"], args].concat())).unwrap())
    }

    #[test]
    fn only_ports_of_configured_machines_may_be_connected_to() {
        for (args, ports) in [
            (&["--picture-hosts="][..], &[][..]),
            (&[], &[53, 443]),
            (&["--picture-hosts=", "--mail=smtp://mail.example.org"], &[25, 53]),
            (&["--picture-hosts=", "--mail=smtp://mail.example.org?tls=required"], &[53, 587]),
            (&["--picture-hosts=", "--mail=smtps://u:p@mail.example.org"], &[53, 465]),
            (&["--picture-hosts=", "--mail=smtp://mail.example.org:2525"], &[53, 2525]),
            (&["--picture-hosts=", "--openai-url=http://gpu:8000/v1", "--openai-models=a=1"], &[53, 8000]),
            (
                &["--picture-hosts=", "--openai-url=https://api.example.org/v1", "--openai-models=a=1"],
                &[53, 443],
            ),
        ] {
            assert_eq!(reach(args).connect, ports, "{args:?}");
        }
        assert_eq!(reach(&["--listen=127.0.0.1:0"]).listen, [0]);
    }

    #[test]
    fn the_folders_of_the_settings_and_what_is_linked_in_them_may_be_worked_in() {
        let dir = tempfile::tempdir().unwrap();
        let [data, disk, anchor] = ["data", "disk", "anchor"].map(|name| dir.path().join(name));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&disk).unwrap();
        std::os::unix::fs::symlink(&disk, data.join("blobs")).unwrap();
        let text = |path: &Path| path.display().to_string();
        let mail = dir.path().join("mail");
        let found = reach(&[
            "--data",
            &text(&data),
            "--anchor",
            &text(&anchor),
            "--mail",
            &format!("dir:{}", text(&mail)),
        ]);
        assert_eq!(found.work, [data, std::fs::canonicalize(disk).unwrap(), anchor, mail]);
    }
}
