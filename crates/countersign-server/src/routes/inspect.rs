//! `/inspect`: a token taken apart. The page, what it asks, and the same as a form for pages without JavaScript.
//!
//! What is asked is answered and forgotten: it is in no log, in no table and in no cache.

use askama::Template;
use axum::Extension;
use axum::Json as Answered;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use countersign::{Algorithm, JwkSet, Outcome, Step};
use http::{Method, StatusCode};
use serde::Deserialize;

use crate::body::{Json, PageForm, Peer};
use crate::error::Error;
use crate::inspector::Inspector;
use crate::routes::assets;
use crate::routes::navigation::Reader;
use crate::routes::page::page;
use crate::routes::shell::Shell;
use crate::routes::visitor::Visitor;
use crate::rules::inspect::{
    Answer, Attempt, Edited, Experiment, Forgery, Form, KeyProblem, KeyText, Language, Program,
    Question, Resigned, Wanted, examine,
};
use crate::rules::secret::Secret;

/// The most bytes of a question: a token far larger than any that is taken is still told that it is.
pub(crate) const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Whoever asks, where that is known: alone there are no visitors but one.
type Asker = Option<Extension<Visitor>>;

#[derive(Template)]
#[template(path = "inspect.html")]
struct Inspect<'a> {
    shell: Shell,
    place: &'a str,
    /// The server's own address, whose keys are at hand.
    own: &'a str,
    may_fetch: bool,
    forms: &'static [Form],
    algorithms: Vec<&'static str>,
    attempts: &'static [Attempt],
    languages: &'static [Language],
    /// What the page's script is made of, to be loaded at once.
    modules: Vec<&'static str>,
    given: &'a Fields,
    answer: Option<Answer>,
    problem: Option<String>,
}

/// The fields of the page's form, which work without a script.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fields {
    token: String,
    form: Option<Form>,
    key: String,
    alg: String,
    iss: String,
    aud: String,
    typ: String,
    leeway: String,
    at: String,
}

/// The mark of a step and the word for it.
struct Mark(&'static str, &'static str);

impl Inspect<'_> {
    fn has_findings(&self) -> bool {
        let answer = self.answer.as_ref();
        answer.is_some_and(|answer| !answer.findings.is_empty())
    }

    fn mark(&self, step: &Step) -> Mark {
        match step.outcome {
            Outcome::Passed => Mark("✓", "passed"),
            Outcome::Failed => Mark("✗", "failed"),
            _ => Mark("·", "not looked at"),
        }
    }
}

impl Mark {
    /// The class that the style knows the step by.
    fn class(&self) -> &'static str {
        match self.0 {
            "✓" => "passed",
            "✗" => "failed",
            _ => "skipped",
        }
    }
}

pub(crate) async fn get(
    State(inspector): State<Inspector>,
    asker: Asker,
    shell: Shell,
) -> Response {
    show(&inspector, &asker, shell, &Fields::default(), None, None)
}

pub(crate) async fn explain(
    State(inspector): State<Inspector>,
    asker: Asker,
    Peer(peer): Peer,
    Json(question): Json<Question>,
) -> Result<Answered<Answer>, Error> {
    inspector.count(peer)?;
    Ok(Answered(answer(&inspector, &asker, &question).await))
}

pub(crate) async fn experiment(
    State(inspector): State<Inspector>,
    Peer(peer): Peer,
    Json(experiment): Json<Experiment>,
) -> Result<Response, Error> {
    inspector.count(peer)?;
    Ok(told(experiment.run().map(Answered::<Forgery>)))
}

pub(crate) async fn sign(
    State(inspector): State<Inspector>,
    Peer(peer): Peer,
    Json(edited): Json<Edited>,
) -> Result<Response, Error> {
    inspector.count(peer)?;
    Ok(told(edited.sign().map(Answered::<Resigned>)))
}

/// A program that verifies the token elsewhere.
pub(crate) async fn program(
    State(inspector): State<Inspector>,
    Peer(peer): Peer,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Error> {
    inspector.count(peer)?;
    Ok(told(wanted.write().map(Answered::<Program>)))
}

/// The page without a script: verdict and ladder come with it.
pub(crate) async fn post_form(
    State(inspector): State<Inspector>,
    asker: Asker,
    Peer(peer): Peer,
    shell: Shell,
    form: Result<PageForm<Fields>, Error>,
) -> Response {
    let counted = inspector.count(peer);
    let fields = match counted.and(form) {
        Ok(PageForm(fields)) => fields,
        Err(problem) => {
            let (fields, text) = (Fields::default(), problem.to_string());
            return show(&inspector, &asker, shell, &fields, None, Some(text));
        }
    };
    match fields.question() {
        Ok(question) => {
            let answer = answer(&inspector, &asker, &question).await;
            show(&inspector, &asker, shell, &fields, Some(answer), None)
        }
        Err(problem) => show(&inspector, &asker, shell, &fields, None, Some(problem)),
    }
}

/// Before everything here: whoever has to be logged in, is.
pub(crate) async fn admit(
    State(inspector): State<Inspector>,
    request: Request,
    next: Next,
) -> Response {
    let visitor = request.extensions().get::<Visitor>();
    let is_guest = visitor.is_some_and(|visitor| visitor.reader() == Reader::Guest);
    if inspector.access.admits(!is_guest) {
        return next.run(request).await;
    }
    if request.method() == Method::GET || request.uri().path().starts_with("/ui/") {
        return Redirect::to("/log-in?next=/inspect").into_response();
    }
    Error::LogInNeeded.into_response()
}

async fn answer(inspector: &Inspector, asker: &Asker, question: &Question) -> Answer {
    let published = match &question.key {
        Some(key) if key.form == Form::Issuer => Some(keys_of(inspector, asker, key).await),
        _ => None,
    };
    examine(question, published, inspector.now())
}

async fn keys_of(inspector: &Inspector, asker: &Asker, key: &KeyText) -> Result<JwkSet, String> {
    let may_fetch = may_fetch(inspector, asker);
    inspector.published.keys(key.text.expose(), may_fetch).await
}

/// Whether this server goes out to fetch for somebody: it may reach what they cannot.
fn may_fetch(inspector: &Inspector, asker: &Asker) -> bool {
    match asker {
        Some(Extension(visitor)) => visitor.reader() == Reader::Administrator,
        None => inspector.is_alone(),
    }
}

/// What the key or the text made impossible is said in the answer, as everything about tokens is.
fn told(outcome: Result<impl IntoResponse, KeyProblem>) -> Response {
    match outcome {
        Ok(answer) => answer.into_response(),
        Err(problem) => (StatusCode::UNPROCESSABLE_ENTITY, Answered(problem)).into_response(),
    }
}

fn show(
    inspector: &Inspector,
    asker: &Asker,
    shell: Shell,
    given: &Fields,
    answer: Option<Answer>,
    problem: Option<String>,
) -> Response {
    let template = Inspect {
        shell,
        place: &inspector.place,
        own: inspector.published.own().unwrap_or_default(),
        may_fetch: may_fetch(inspector, asker),
        forms: &Form::ALL,
        attempts: &Attempt::ALL,
        languages: &Language::ALL,
        algorithms: Algorithm::ALL.iter().map(|alg| alg.name()).collect(),
        modules: assets::paths_under("/assets/js/inspect/").collect(),
        given,
        answer,
        problem,
    };
    page(StatusCode::OK, &template)
}

impl Fields {
    fn has(&self, form: &Form) -> bool {
        self.form.as_ref() == Some(form)
    }

    fn names(&self, alg: &str) -> bool {
        self.alg == alg
    }

    fn has_policy(&self) -> bool {
        [&self.iss, &self.aud, &self.typ, &self.leeway]
            .iter()
            .any(|field| !field.is_empty())
    }

    fn question(&self) -> Result<Question, String> {
        let number = |text: &str, what: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse::<i64>()
                .map(Some)
                .map_err(|_| format!("{what} is no whole number of seconds")),
        };
        let leeway = number(&self.leeway, "The leeway")?.unwrap_or(0);
        Ok(Question {
            token: Secret::new(self.token.trim().to_owned()),
            key: self
                .form
                .map(|form| KeyText::new(form, &self.key, &self.alg)),
            policy: crate::rules::inspect::PolicyText::new(
                &self.iss,
                &self.aud,
                &self.typ,
                leeway.unsigned_abs(),
            ),
            at: number(&self.at, "The time")?,
        })
    }
}
