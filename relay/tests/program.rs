//! `visita-relay serve` as a program: its contract.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visita-relay"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VISITA_")) {
        command.env_remove(name);
    }
    command
        .arg("serve")
        .env("VISITA_DATA", data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Ends its program whatever the test does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ready(command: &mut Command) -> (Running, serde_json::Value) {
    let mut running = Running(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    if line.is_empty() {
        let mut said = String::new();
        running
            .0
            .stderr
            .as_mut()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        panic!("{said}");
    }
    (running, serde_json::from_str(&line).unwrap())
}

/// Runs a program that can't start, and gives its code and what it said.
fn failing(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    assert!(
        output.stdout.is_empty(),
        "stdout carries only the ready line"
    );
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn it_says_where_it_is_and_ends_with_0() {
    let data = tempfile::tempdir().unwrap();
    let (mut running, said) = ready(program(data.path()).args(["--listen", "127.0.0.1:0"]));
    assert_eq!(said["event"], "ready");
    let url = said["url"].as_str().unwrap();
    let port = url
        .strip_prefix("https://127.0.0.1:")
        .unwrap()
        .parse::<u16>()
        .unwrap();
    assert!(port > 0);
    let fingerprint = said["fingerprint"]
        .as_str()
        .unwrap()
        .strip_prefix("sha256:")
        .unwrap()
        .to_owned();
    assert!(
        fingerprint.len() == 64
            && fingerprint
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
    );
    let asked = Command::new("kill")
        .args(["-TERM", &running.0.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    running
        .0
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert_eq!(rest, "");
    // The ward is the same the next time, also on another port.
    let (_again, said) = ready(program(data.path()).args(["--listen", "127.0.0.1:0"]));
    assert_eq!(said["fingerprint"], format!("sha256:{fingerprint}"));
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("visita.toml");
    fs::write(&file, "listen = \"127.0.0.4:0\"\nadvertise = false\n").unwrap();
    let url = |command: &mut Command| ready(command).1["url"].as_str().unwrap().to_owned();
    let mut command = program(data.path());
    assert!(url(command.arg("--config").arg(&file)).starts_with("https://127.0.0.4:"));
    assert!(url(command.env("VISITA_LISTEN", "127.0.0.3:0")).starts_with("https://127.0.0.3:"));
    assert!(url(command.args(["--listen", "127.0.0.2:0"])).starts_with("https://127.0.0.2:"));
}

#[test]
fn what_is_wrong_is_said_with_the_next_step() {
    let data = tempfile::tempdir().unwrap();
    let local = ["--listen", "127.0.0.1:0"];
    let file = data.path().join("visita.toml");
    fs::write(&file, "# a ward\nadvertise = false\nwhat_is_this = 1\n").unwrap();
    let (code, said) = failing(program(data.path()).args(local).arg("--config").arg(&file));
    assert!(
        code == 1 && said.contains("visita.toml, line 3: unknown field `what_is_this`"),
        "{code} {said}"
    );
    let (_, said) = failing(
        program(data.path())
            .args(local)
            .args(["--config", "/nowhere/visita.toml"]),
    );
    assert!(
        said.contains("/nowhere/visita.toml can't be read"),
        "{said}"
    );

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, said) =
        failing(program(data.path()).args(["--listen", &taken.local_addr().unwrap().to_string()]));
    assert!(
        code == 1
            && said.contains("is in use")
            && said.contains("choose another port with --listen"),
        "{said}"
    );

    let (_, said) = failing(program(&file.join("below")).args(local));
    assert!(said.contains("--data"), "{said}");
    let (_, said) = failing(program(&file.join("a\u{1b}[31mb")).args(local));
    assert!(!said.contains('\u{1b}'), "{said:?}");
    let (_, said) = failing(program(Path::new("/proc/visita")).args(local));
    assert!(
        said.contains("/proc/visita") && said.contains("--data"),
        "{said}"
    );

    fs::write(
        data.path().join("ward-ca.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n",
    )
    .unwrap();
    let (_, said) = failing(program(data.path()).args(local));
    assert!(
        said.contains("ward-ca.pem is broken") && said.contains("Put back a copy"),
        "{said}"
    );

    for wrong in [
        &["--listen", "here"][..],
        &["--dance"],
        &["--public-url", "https://a/b"],
    ] {
        assert_eq!(failing(program(data.path()).args(wrong)).0, 2, "{wrong:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_in_words() {
    let data = tempfile::tempdir().unwrap();
    // A disk of one page, full, in a mount namespace of its own.
    let script = format!(
        "mount -t tmpfs -o size=4k none {0} && head -c 4096 /dev/zero > {0}/full; exec {1} serve --listen 127.0.0.1:0 --data {0}",
        data.path().display(),
        env!("CARGO_BIN_EXE_visita-relay"),
    );
    let (code, said) = failing(Command::new("unshare").args(["-rm", "sh", "-c", &script]));
    assert!(
        code == 1 && said.contains("is full. Free some space"),
        "{code} {said}"
    );
}
