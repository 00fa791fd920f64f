//! What a session is used with, in words that its owner knows it by: "Firefox on Linux".
//!
//! Of what a client says of itself these words are kept, and nothing else: they are enough to tell one's sessions apart,
//! and too little to tell people apart.

/// What to look for, and what it is called; the first that is found counts, because later ones pretend to be earlier ones.
type Names = [(&'static str, &'static str)];

const PROGRAMS: &Names = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("PostmanRuntime/", "Postman"),
    ("insomnia/", "Insomnia"),
    ("okhttp/", "an app on OkHttp"),
    ("Dart/", "a Dart program"),
    ("python-requests/", "a Python program"),
    ("python-httpx/", "a Python program"),
    ("aiohttp/", "a Python program"),
    ("Python-urllib/", "a Python program"),
    ("Go-http-client/", "a Go program"),
    ("reqwest/", "a Rust program"),
    ("axios/", "a Node program"),
    ("node", "a Node program"),
    ("undici", "a Node program"),
    ("Java/", "a Java program"),
];

const SYSTEMS: &Names = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
];

/// The program and the system that a `User-Agent` names; `None` when neither is known.
pub(crate) fn in_words(user_agent: &str) -> Option<String> {
    let find = |names: &Names| {
        let mut found = names.iter().filter(|(part, _)| user_agent.contains(part));
        found.next().map(|(_, name)| *name)
    };
    match (find(PROGRAMS), find(SYSTEMS)) {
        (Some(program), Some(system)) => Some(format!("{program} on {system}")),
        (Some(program), None) => Some(program.to_owned()),
        (None, Some(system)) => Some(format!("a program on {system}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_called_by_names_that_people_know() {
        for (user_agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.14.1", "curl"),
            ("Go-http-client/2.0", "a Go program"),
            ("Shop/1.0 (Android 15)", "a program on Android"),
        ] {
            assert_eq!(in_words(user_agent).as_deref(), Some(words), "{user_agent}");
        }
        for unknown in ["", "Shop/1.0", "<script>alert(1)</script>"] {
            assert_eq!(in_words(unknown), None, "{unknown}");
        }
    }
}
