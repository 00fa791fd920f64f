//! `countersign inspect`: a page on this machine, and no more than that.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::support::Bench;

/// An inspector on a port that the system picks; it is killed when the test ends, however it ends.
struct Inspector {
    child: Child,
    url: String,
}

impl Inspector {
    fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let mut child = bench
            .command()
            .arg("inspect")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        let url = url.trim().to_owned();
        Self { child, url }
    }

    fn address(&self) -> &str {
        let address = self.url.strip_prefix("http://").unwrap();
        address.split('/').next().unwrap()
    }

    /// The head of the answer to a request for `target` at the host `host`.
    fn ask(&self, target: &str, hosts: &[&str]) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let hosts: String = hosts
            .iter()
            .map(|host| format!("host: {host}\r\n"))
            .collect();
        write!(
            stream,
            "GET {target} HTTP/1.1\r\n{hosts}connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_is_at_the_printed_url_without_a_database() {
    let bench = Bench::new();
    let inspector = Inspector::start(&bench, &[]);
    let page = inspector.ask("/inspect", &[inspector.address()]);
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("<h1>Inspector</h1>") && page.contains("cache-control: no-store"));
    assert!(!bench.path("countersign-data").exists());
    let front = inspector.ask("/", &[inspector.address()]);
    assert!(front.contains("\r\nlocation: /inspect\r\n"), "{front}");
    let signup = inspector.ask("/signup", &[inspector.address()]);
    assert!(signup.starts_with("HTTP/1.1 404 "), "{signup}");
}

/// A page of another site can have its own name point at this machine, and would then be of the inspector's origin.
#[test]
fn rejects_a_host_that_is_not_its_own_address() {
    let bench = Bench::new();
    let inspector = Inspector::start(&bench, &[]);
    let own = inspector.address();
    let port = own.rsplit(':').next().unwrap();
    let whole = format!("http://evil.example:{port}/inspect");
    for (target, hosts) in [
        ("/inspect", vec![format!("evil.example:{port}")]),
        ("/inspect", vec!["127.0.0.1".to_owned()]),
        ("/inspect", vec![format!("localhost:{port}")]),
        ("/inspect", vec![format!("127.0.0.1:{port}.evil.example")]),
        ("/assets/style.css", vec![format!("evil.example:{port}")]),
        (&whole, vec![own.to_owned()]),
    ] {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let answer = inspector.ask(target, &hosts);
        assert!(
            answer.starts_with("HTTP/1.1 421 "),
            "{target} {hosts:?} {answer}"
        );
        assert!(answer.contains(&format!("http://{own}/")), "{answer}");
    }
    for hosts in [vec![], vec![own, "evil.example"]] {
        let answer = inspector.ask("/inspect", &hosts);
        assert!(answer.starts_with("HTTP/1.1 4"), "{hosts:?} {answer}");
    }
}

#[test]
fn a_token_stands_behind_the_number_sign_of_the_url() {
    let bench = Bench::new();
    let inspector = Inspector::start(&bench, &["Bearer eyJ.a-b_c.d"]);
    assert!(
        inspector.url.ends_with("/inspect#token=eyJ.a-b_c.d"),
        "{}",
        inspector.url
    );
}

#[test]
fn rejects_an_address_that_others_could_reach() {
    let bench = Bench::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        bench
            .run(&["inspect", "--listen", address])
            .fails(2, &["others could reach"]);
    }
}
