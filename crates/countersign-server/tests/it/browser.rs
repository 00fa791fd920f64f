//! A browser without JavaScript: it keeps cookies, sends forms, and follows no redirect by itself.

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::body::Body;
use http::{Method, Request, header};

use crate::app::{Answer, PASSWORD, TestApp};

pub(crate) const FIREFOX: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) user_agent: String,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        Self {
            app,
            user_agent: FIREFOX.to_owned(),
            cookies: RefCell::default(),
        }
    }

    /// A browser that is logged in.
    pub(crate) async fn of(app: &'a TestApp, email: &str) -> Self {
        let browser = Self::new(app);
        let answer = browser
            .send("/ui/log-in", &log_in_fields(email, PASSWORD, ""))
            .await;
        assert_eq!(answer.status, 303, "{answer:?}");
        browser
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.go(Method::GET, path, None, "none").await
    }

    /// Sends a form, as its page would.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.go(Method::POST, path, Some(fields), "same-origin")
            .await
    }

    /// Sends a form, as a page of another site would.
    pub(crate) async fn send_from_elsewhere(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.go(Method::POST, path, Some(fields), "cross-site")
            .await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    async fn go(
        &self,
        method: Method,
        path: &str,
        fields: Option<&[(&str, &str)]>,
        site: &str,
    ) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "text/html,application/xhtml+xml")
            .header(header::USER_AGENT, &self.user_agent)
            .header("sec-fetch-site", site);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let body = match fields {
            Some(fields) => {
                request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                Body::from(encoded(fields))
            }
            None => Body::empty(),
        };
        let answer = self.app.send(request.body(body).unwrap()).await;
        self.keep(&answer);
        answer
    }

    fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.borrow_mut();
        for line in answer.cookies() {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

pub(crate) fn log_in_fields<'f>(
    email: &'f str,
    password: &'f str,
    next: &'f str,
) -> [(&'f str, &'f str); 3] {
    [("email", email), ("password", password), ("next", next)]
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn escaped(value: &str) -> String {
    let bytes = value.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    bytes.collect()
}

impl Answer {
    /// Asserts a page with this status.
    #[track_caller]
    pub(crate) fn is_page(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            "text/html; charset=utf-8",
            "{self:?}"
        );
    }

    /// Asserts a way to another page.
    #[track_caller]
    pub(crate) fn leads_to(&self, path: &str) {
        assert_eq!(
            (self.status.as_u16(), self.header("location")),
            (303, path),
            "{self:?}"
        );
    }

    /// What stands beside a field that was refused.
    #[track_caller]
    pub(crate) fn problem_of(&self, field: &str) -> &str {
        let id = format!("id=\"{field}\">");
        let Some((_, rest)) = self.body.split_once(&id) else {
            panic!("no {field} in {}", self.body)
        };
        rest.split_once("</p>").unwrap().0
    }
}
