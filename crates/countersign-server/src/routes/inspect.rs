//! `/inspect`: a token taken apart. The page, what it asks, and the same as a form for pages without JavaScript.
//!
//! What is asked is answered and forgotten: it is in no log, in no table and in no cache.

use askama::Template;
use axum::Extension;
use axum::Json as Answered;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use countersign::{AccessToken, Algorithm, JwkSet, Outcome, Report, Step};
use http::request::Parts;
use http::{Method, StatusCode};
use serde::Deserialize;

use crate::body::{Json, PageForm, Peer};
use crate::error::{self, Error};
use crate::inspector::Inspector;
use crate::routes::assets;
use crate::routes::navigation::Reader;
use crate::routes::page::page;
use crate::routes::prose::{self, Piece};
use crate::routes::shell::Shell;
use crate::routes::trouble;
use crate::routes::visitor::Visitor;
use crate::rules::inspect::{
    Answer, Attempt, Edited, Experiment, Forgery, Form, KeyProblem, KeyText, Language, Opened,
    PolicyText, Program, Question, Resigned, Shown, Taken, Wanted, examine, spelled,
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
    /// Whether a token without `exp` is taken: a box that was ticked.
    endless: String,
    /// Of several tokens in `among`, which, from 1.
    pick: String,
    /// The tokens that stood in what was pasted, where they were several: [`Taken::among`].
    among: String,
}

/// A request that was counted. It stands before the body, so that one that nobody can read counts too.
pub(crate) struct Counted;

impl FromRequestParts<Inspector> for Counted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, inspector: &Inspector) -> Result<Self, Error> {
        let Peer(peer) = Peer::from_request_parts(parts, inspector).await?;
        let visitor = parts.extensions.get::<Visitor>();
        inspector
            .count(visitor.and_then(Visitor::user_id), peer)
            .map(|()| Self)
    }
}

/// What the page says to what was asked.
#[derive(Default)]
struct Told {
    answer: Option<Answer>,
    problem: Option<String>,
}

impl Told {
    fn answer(answer: Answer) -> Self {
        Self {
            answer: Some(answer),
            problem: None,
        }
    }

    fn problem(words: String) -> Self {
        Self {
            answer: None,
            problem: Some(words),
        }
    }
}

/// The mark of a step and the word for it.
struct Mark(&'static str, &'static str);

impl Inspect<'_> {
    fn has_findings(&self) -> bool {
        let answer = self.answer.as_ref();
        answer.is_some_and(|answer| !answer.findings.is_empty())
    }

    fn has_ladder(&self) -> bool {
        let answer = self.answer.as_ref();
        answer.is_some_and(|answer| answer.report.is_some())
    }

    /// What the token's field holds: what was given, the token in it, or nothing where that was none.
    fn token(&self) -> &str {
        match &self.answer {
            Some(Answer {
                pasted: Some(taken),
                ..
            }) => taken.token.expose(),
            Some(answer) if !answer.is_token => "",
            _ => &self.given.token,
        }
    }

    /// What the token says, once it was asked about.
    fn shown(&self) -> Option<Shown> {
        let answer = self.answer.as_ref()?;
        answer.is_token.then(|| Shown::of(self.token().trim()))
    }

    /// The pieces of a sentence.
    fn prose<'t>(&self, text: &'t (impl AsRef<str> + ?Sized)) -> Vec<Piece<'t>> {
        prose::pieces(text.as_ref())
    }

    fn spelled(&self, name: &str) -> String {
        spelled(name)
    }

    fn mark(&self, report: &Report, step: &Step) -> Mark {
        match step.outcome {
            Outcome::Passed if report.unchecked.contains(&step.name) => Mark("–", "not checked"),
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
            "–" => "unchecked",
            _ => "skipped",
        }
    }
}

pub(crate) async fn get(
    State(inspector): State<Inspector>,
    asker: Asker,
    shell: Shell,
) -> Response {
    let (given, told) = (Fields::default(), Told::default());
    show(StatusCode::OK, &inspector, &asker, shell, &given, told)
}

pub(crate) async fn explain(
    State(inspector): State<Inspector>,
    asker: Asker,
    _: Counted,
    Json(question): Json<Question>,
) -> Result<Answered<Answer>, Error> {
    answer(&inspector, &asker, question).await.map(Answered)
}

pub(crate) async fn experiment(
    State(inspector): State<Inspector>,
    asker: Asker,
    _: Counted,
    Json(experiment): Json<Experiment>,
) -> Result<Response, Error> {
    let published = match experiment.published_key() {
        Some(key) => Some(keys_of(&inspector, &asker, key).await),
        None => None,
    };
    let outcome = inspector.compute(move || experiment.run(published)).await?;
    Ok(told(outcome.map(Answered::<Forgery>)))
}

pub(crate) async fn sign(
    State(inspector): State<Inspector>,
    _: Counted,
    Json(edited): Json<Edited>,
) -> Result<Response, Error> {
    let outcome = inspector.compute(move || edited.sign()).await?;
    Ok(told(outcome.map(Answered::<Resigned>)))
}

/// A program that verifies the token elsewhere.
pub(crate) async fn program(
    State(inspector): State<Inspector>,
    _: Counted,
    Json(wanted): Json<Wanted>,
) -> Result<Response, Error> {
    let outcome = inspector.compute(move || wanted.write()).await?;
    Ok(told(outcome.map(Answered::<Program>)))
}

/// The page without a script: verdict and ladder come with it.
pub(crate) async fn post_form(
    State(inspector): State<Inspector>,
    asker: Asker,
    counted: Result<Counted, Error>,
    shell: Shell,
    form: Result<PageForm<Fields>, Error>,
) -> Response {
    let (fields, outcome) = match counted.and(form) {
        Ok(PageForm(fields)) => {
            let outcome = told_of(&inspector, &asker, &fields).await;
            (fields, outcome)
        }
        Err(problem) => (Fields::default(), Err(problem)),
    };
    match outcome {
        Ok(told) => show(StatusCode::OK, &inspector, &asker, shell, &fields, told),
        Err(problem) => trouble::answer(&problem, |status| {
            let told = Told::problem(error::told(&problem));
            show(status, &inspector, &asker, shell, &fields, told)
        }),
    }
}

async fn told_of(inspector: &Inspector, asker: &Asker, fields: &Fields) -> Result<Told, Error> {
    let picked = fields.picked(inspector).await?;
    match fields.question(picked.as_ref()) {
        Ok(question) => {
            let answer = answer(inspector, asker, question).await?;
            Ok(Told::answer(match picked {
                Some(_) => answer.with_taken(picked),
                None => answer,
            }))
        }
        Err(problem) => Ok(Told::problem(problem)),
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

/// About the token that stands in what was pasted, or about what that is.
async fn answer(inspector: &Inspector, asker: &Asker, question: Question) -> Result<Answer, Error> {
    match inspector.compute(move || question.opened()).await? {
        Opened::About(question, taken) => {
            let answer = about_token(inspector, asker, question).await?;
            Ok(answer.with_taken(taken))
        }
        Opened::Other(other, question) => Ok(Answer::of_other(&other, &question, inspector.now())),
    }
}

async fn about_token(
    inspector: &Inspector,
    asker: &Asker,
    question: Question,
) -> Result<Answer, Error> {
    let published = match &question.key {
        Some(key) if key.form == Form::Issuer => Some(keys_of(inspector, asker, key).await),
        _ => None,
    };
    let own = own_token(inspector, &question);
    let now = inspector.now();
    let examined = move || {
        let answer = examine(&question, published, now);
        let obstacle = answer.obstacle(&question);
        (answer, obstacle)
    };
    let (answer, obstacle) = inspector.compute(examined).await?;
    let Some(own) = own else {
        return Ok(answer);
    };
    let session = match obstacle {
        Some(obstacle) => obstacle,
        None => inspector.session(&own).await,
    };
    Ok(answer.with_session(session))
}

/// A token of this server, to be judged with its own keys: whether it was taken back is known here.
fn own_token(inspector: &Inspector, question: &Question) -> Option<AccessToken> {
    let key = question.key.as_ref()?;
    let is_own = key.form == Form::Issuer && inspector.published.is_own(key.text.expose());
    question.token_of(inspector.published.own().filter(|_| is_own)?)
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
    status: StatusCode,
    inspector: &Inspector,
    asker: &Asker,
    shell: Shell,
    given: &Fields,
    Told { answer, problem }: Told,
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
    page(status, &template)
}

impl Fields {
    /// The token that was chosen among several.
    async fn picked(&self, inspector: &Inspector) -> Result<Option<Taken>, Error> {
        let Ok(number) = self.pick.trim().parse() else {
            return Ok(None);
        };
        let among = Secret::new(self.among.clone());
        inspector
            .compute(move || Taken::picked(among.expose(), number))
            .await
    }

    fn has(&self, form: &Form) -> bool {
        self.form.as_ref() == Some(form)
    }

    fn names(&self, alg: &str) -> bool {
        self.alg == alg
    }

    fn has_policy(&self) -> bool {
        [&self.iss, &self.aud, &self.typ, &self.leeway, &self.endless]
            .iter()
            .any(|field| !field.is_empty())
    }

    fn question(&self, picked: Option<&Taken>) -> Result<Question, String> {
        let number = |text: &str, what: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse::<i64>()
                .map(Some)
                .map_err(|_| format!("{what} is no whole number of seconds")),
        };
        let leeway = number(&self.leeway, "The leeway")?.unwrap_or(0);
        let leeway = u64::try_from(leeway)
            .map_err(|_| "The leeway is below zero; it is a number of seconds from 0 up")?;
        Ok(Question {
            token: match picked {
                Some(taken) => taken.token.clone(),
                None => Secret::new(self.token.trim().to_owned()),
            },
            pick: 0,
            key: self
                .form
                .map(|form| KeyText::new(form, &self.key, &self.alg)),
            policy: PolicyText::new(&self.iss, &self.aud, &self.typ, leeway)
                .with_endless(!self.endless.is_empty()),
            at: number(&self.at, "The time")?,
        })
    }
}
