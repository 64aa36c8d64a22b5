//! The relay as a program, for a small always-on box.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use visita_relay::{Config, Origin, Relay, bind};

/// Video visits between a hospital bed and a family: the server.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C.
    Serve(Serve),
}

/// A flag goes before its environment variable, which goes before the file.
#[derive(Args)]
struct Serve {
    /// Where to listen; port 0 = any free one [default: [::]:3000].
    #[arg(long, env = "VISITA_LISTEN", value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// The folder that keeps the ward's certificate [default: the user's data folder].
    #[arg(long, env = "VISITA_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// A TOML file with any of the settings.
    #[arg(long, env = "VISITA_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the ward is called on other devices' screens.
    #[arg(long, env = "VISITA_WARD", value_name = "NAME")]
    ward: Option<String>,
    /// How the relay is reached from outside.
    #[arg(long, env = "VISITA_PUBLIC_URL", value_name = "https://HOST[:PORT]")]
    public_url: Option<Origin>,
    /// Serve the page from this folder instead of the files in the program.
    #[arg(long, env = "VISITA_UI", value_name = "DIR")]
    ui: Option<PathBuf>,
    /// Whether to be found on the LAN [default: true].
    #[arg(long, env = "VISITA_ADVERTISE", value_name = "true|false")]
    advertise: Option<bool>,
    /// Other origins whose pages may use this relay, with commas between.
    #[arg(
        long,
        env = "VISITA_ALLOWED_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ','
    )]
    allowed_origins: Option<Vec<Origin>>,
    /// Lets `/metrics` be read from other machines by whoever shows it.
    #[arg(
        env = "VISITA_METRICS_TOKEN",
        long,
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    metrics_token: Option<String>,
}

impl Serve {
    fn config(self) -> Result<Config, visita_relay::config::Error> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut config.listen, self.listen);
        set(&mut config.data, self.data);
        set(&mut config.advertise, self.advertise);
        set(&mut config.allowed_origins, self.allowed_origins);
        config.ward = self.ward.or(config.ward);
        config.public_url = self.public_url.or(config.public_url);
        config.ui = self.ui.or(config.ui);
        config.metrics_token = self.metrics_token.or(config.metrics_token);
        config.check()?;
        Ok(config)
    }
}

/// The only line on stdout.
#[derive(serde::Serialize)]
struct Ready {
    event: &'static str,
    url: String,
    fingerprint: String,
}

fn main() -> ExitCode {
    // Wrong usage ends here, with 2.
    let Command::Serve(serve) = Cli::parse().command;
    let filter = tracing_subscriber::EnvFilter::try_from_env("VISITA_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,mdns_sd=error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(&format!(
                "The system gives no threads ({error}). Close some programs."
            ));
        }
    };
    // In a task, or each of the relay's own timers would wake this thread besides the workers.
    let ended = runtime.block_on(runtime.spawn(run(serve)));
    // Connections that didn't end in time don't keep the program.
    runtime.shutdown_background();
    match ended {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error.to_string()),
        Err(_) => fail("The relay failed. Start it again, and report what it said before."),
    }
}

async fn run(serve: Serve) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = serve.config()?;
    // Before the ready line: whoever reads it may send the signal at once.
    let shutdown = signals()?;
    let listener = bind(config.listen)?;
    let relay = Relay::new(config, listener)?;
    let handle = relay.handle();
    let ready = Ready {
        event: "ready",
        url: handle.url(),
        fingerprint: format!("sha256:{}", handle.fingerprint()),
    };
    let ready = serde_json::to_string(&ready)?;
    let mut stdout = std::io::stdout();
    // A reader that is gone already is no reason not to serve.
    let _ = writeln!(stdout, "{ready}").and_then(|()| stdout.flush());
    relay.serve(shutdown).await;
    Ok(())
}

fn fail(sentence: &str) -> ExitCode {
    // A terminal would obey control characters, which a path may hold.
    let sentence = sentence.replace(char::is_control, "\u{fffd}");
    let _ = writeln!(std::io::stderr(), "visita-relay: {sentence}");
    ExitCode::FAILURE
}

/// Is over when the program is to end.
#[cfg(unix)]
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Is over when the program is to end: Ctrl-C, its window closed, or the system shut down.
#[cfg(windows)]
fn signals() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}
