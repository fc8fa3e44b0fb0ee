//! `--metrics`: the collector's live figures as Prometheus text, at an address while the script runs, or in a file when it
//! has ended.

use super::report;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// Where the figures go.
pub enum Metrics {
    /// Served; nothing is left to do at the end.
    Served,
    /// Written at the end.
    File(PrometheusHandle, PathBuf),
}

/// Upper bounds of the pause histogram's buckets, in seconds.
const PAUSE_BUCKETS: [f64; 12] = [50e-6, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.5];
/// A client that says nothing for so long is left alone.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts to gather, and to serve if `to` is an address: `:9100`, `127.0.0.1:9100`. Anything else is a file.
pub fn start(to: &str) -> Result<Metrics, String> {
    let builder = PrometheusBuilder::new().set_buckets(&PAUSE_BUCKETS).map_err(|error| error.to_string())?;
    let handle = builder.install_recorder().map_err(|error| error.to_string())?;
    let Some(address) = address(to) else { return Ok(Metrics::File(handle, to.into())) };
    let listener = TcpListener::bind(&address).map_err(|error| format!("can't serve metrics at {address}: {error}"))?;
    if let Ok(bound) = listener.local_addr() {
        report::say(&format!("metrics at http://{bound}/metrics\n"));
    }
    let serve = move || {
        for client in listener.incoming().flatten() {
            // a client that goes away is its own affair
            let _ = answer(client, &handle);
        }
    };
    let thread = std::thread::Builder::new().name("metrics".into()).spawn(serve);
    thread.map(|_| Metrics::Served).map_err(|error| format!("the system gives no thread for metrics: {error}"))
}

/// `HOST:PORT` or `:PORT`, the latter on this machine alone.
fn address(to: &str) -> Option<String> {
    let (host, port) = to.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    (!host.contains('/')).then(|| format!("{host}:{port}"))
}

fn answer(client: TcpStream, handle: &PrometheusHandle) -> std::io::Result<()> {
    client.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    client.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut lines = BufReader::new(std::io::Read::take(&client, 16 << 10)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // the headers are of no interest, but must be read before the answer
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    let (status, body) = if path == "/metrics" || path == "/" {
        ("200 OK", handle.render())
    } else {
        ("404 Not Found", "only /metrics is here\n".to_owned())
    };
    write!(
        &client,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

impl Metrics {
    /// The script has ended.
    pub fn finish(&self) -> Result<(), String> {
        match self {
            Metrics::Served => Ok(()),
            Metrics::File(handle, path) => std::fs::write(path, handle.render())
                .map_err(|error| format!("can't write `{}`: {error}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_files() {
        assert_eq!(address(":9100").as_deref(), Some("127.0.0.1:9100"));
        assert_eq!(address("0.0.0.0:80").as_deref(), Some("0.0.0.0:80"));
        assert_eq!(address("[::1]:80").as_deref(), Some("[::1]:80"));
        for file in ["gc.prom", "out/a:b", "/tmp/x:80", "a:99999"] {
            assert_eq!(address(file), None, "{file}");
        }
    }
}
