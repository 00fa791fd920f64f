//! Group commit: writes that come while others are being made durable share the next transaction, and with it the wait
//! for the disk.
//!
//! A write of a group is answered after its transaction was committed, never before. When one of them fails, nothing of
//! the group stays, and each is tried once more alone: nobody pays for another's failure. When another process does not let
//! the database go, everybody who waits by then is told so: those behind would wait as long again.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::{Store, Write};
use crate::error::Error;

/// So that the first of a group does not wait for ever longer.
const MOST: usize = 128;

/// What one write of a group does. It may run twice, and must come to the same.
pub(crate) type Running<'w, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'w>>;

type Work = Box<dyn for<'w> Fn(&'w mut Write) -> Running<'w, ()> + Send + Sync>;

struct Job {
    work: Work,
    done: oneshot::Sender<Result<(), Error>>,
    /// Whether it is of use to nobody but who asked for it.
    is_for_asker: bool,
}

impl Job {
    /// Whether nobody wants it any more.
    fn is_idle(&self) -> bool {
        self.is_for_asker && self.done.is_closed()
    }
}

/// The writes that wait for a transaction; cheap to clone.
#[derive(Clone)]
pub(super) struct Group {
    waiting: Arc<Mutex<Waiting>>,
    lane: Arc<Lane>,
}

/// A thread that does nothing but lead groups. A transaction is many short steps, and each would wait for its turn behind
/// whatever requests have come meanwhile; who sends garbage would slow everybody who refreshes.
struct Lane(Option<Runtime>);

impl Drop for Lane {
    fn drop(&mut self) {
        // Where this is dropped, nobody may wait for a thread.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    is_running: bool,
}

impl Group {
    /// With a thread of its own.
    ///
    /// # Errors
    /// Those of the system, when it has no thread left.
    pub(super) fn new() -> io::Result<Self> {
        let lane = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("countersign-commits")
            .enable_time()
            .build()?;
        Ok(Self {
            waiting: Arc::default(),
            lane: Arc::new(Lane(Some(lane))),
        })
    }

    /// Sees to it that somebody is at work.
    fn lead(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(lane) = &self.lane.0 {
            lane.spawn(work);
        }
    }

    /// Adds a job; true when nobody is at work on them.
    fn push(&self, job: Job) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.jobs.push_back(job);
        !std::mem::replace(&mut waiting.is_running, true)
    }

    /// The next group; empty when there is none, and then nobody is at work.
    fn next(&self) -> Vec<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut jobs = Vec::new();
        while jobs.len() < MOST
            && let Some(job) = waiting.jobs.pop_front()
        {
            if !job.is_idle() {
                jobs.push(job);
            }
        }
        waiting.is_running = !jobs.is_empty();
        jobs
    }

    /// Everybody who waits for the next groups. Whoever took them is at work still.
    fn all(&self) -> VecDeque<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting.jobs)
    }
}

/// At work on a group. If that ends in a panic, the next job finds nobody at work, and whoever waits is told
/// that nobody comes.
struct Runner {
    group: Group,
    /// Dropped after it said that nobody is at work.
    jobs: Vec<Job>,
    is_done: bool,
}

impl Drop for Runner {
    fn drop(&mut self) {
        if !self.is_done {
            let mut waiting = self
                .group
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            waiting.is_running = false;
            waiting.jobs.clear();
        }
    }
}

impl Store {
    /// Does a small write together with those that others ask for at the same time, durably. When its asker goes away before
    /// it has begun, it is left undone.
    ///
    /// # Errors
    /// Those of `work`, and of the commit.
    pub(crate) async fn together<T: Send + 'static>(
        &self,
        work: impl for<'w> Fn(&'w mut Write) -> Running<'w, T> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.in_group(work, true).await
    }

    /// The same for what is to be done also when its asker goes away, as the end of a session is.
    ///
    /// # Errors
    /// Those of `work`, and of the commit.
    pub(crate) async fn together_in_any_case<T: Send + 'static>(
        &self,
        work: impl for<'w> Fn(&'w mut Write) -> Running<'w, T> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        self.in_group(work, false).await
    }

    async fn in_group<T: Send + 'static>(
        &self,
        work: impl for<'w> Fn(&'w mut Write) -> Running<'w, T> + Send + Sync + 'static,
        is_for_asker: bool,
    ) -> Result<T, Error> {
        let result = Arc::new(Mutex::new(None));
        let (done, committed) = oneshot::channel();
        let slot = Arc::clone(&result);
        let job = Job {
            work: Box::new(move |write| {
                let (running, slot) = (work(write), Arc::clone(&slot));
                Box::pin(async move {
                    let value = running.await?;
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                    Ok(())
                })
            }),
            done,
            is_for_asker,
        };
        if self.group.push(job) {
            self.group.lead(run(self.clone()));
        }
        committed.await.map_err(|_| Error::Panic)??;
        let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.ok_or(Error::Panic)
    }

    async fn commit_group(&self, jobs: &[Job]) -> Result<(), Error> {
        let mut write = self.begin().await?;
        // That may have taken a while.
        for job in jobs.iter().filter(|job| !job.is_idle()) {
            (job.work)(&mut write).await?;
        }
        write.commit().await
    }
}

/// Commits one group after another until nobody waits.
async fn run(store: Store) {
    let mut runner = Runner {
        group: store.group.clone(),
        jobs: Vec::new(),
        is_done: false,
    };
    loop {
        runner.jobs = runner.group.next();
        if runner.jobs.is_empty() {
            runner.is_done = true;
            return;
        }
        match store.commit_group(&runner.jobs).await {
            Ok(()) => runner.jobs.drain(..).for_each(|job| answer(job, Ok(()))),
            Err(problem) => alone(&store, &mut runner.jobs, problem).await,
        }
    }
}

/// What becomes of a group that failed: each job is tried by itself, unless that was done or is no use.
async fn alone(store: &Store, jobs: &mut Vec<Job>, problem: Error) {
    if let Error::Busy { retry_after_secs } = problem {
        turn_away(store, jobs, retry_after_secs);
    } else if jobs.len() > 1 {
        while let [first, ..] = jobs.as_slice() {
            let outcome = store.commit_group(std::slice::from_ref(first)).await;
            match outcome {
                Err(Error::Busy { retry_after_secs }) => turn_away(store, jobs, retry_after_secs),
                outcome => answer(jobs.remove(0), outcome),
            }
        }
    } else if let Some(job) = jobs.pop() {
        answer(job, Err(problem));
    }
}

/// Tells these and everybody behind them: each would wait as long again.
fn turn_away(store: &Store, jobs: &mut Vec<Job>, retry_after_secs: u64) {
    for job in jobs.drain(..).chain(store.group.all()) {
        answer(job, Err(Error::Busy { retry_after_secs }));
    }
}

fn answer(job: Job, outcome: Result<(), Error>) {
    // Whoever asked may have gone away; what was written stays.
    let _ = job.done.send(outcome);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), true)
            .await
            .unwrap();
        (folder, store)
    }

    async fn add(store: &Store, subject: &str) -> Result<i64, Error> {
        let subject = subject.to_owned();
        store
            .together(move |write| spend(write, subject.clone()))
            .await
    }

    fn spend(write: &mut Write, subject: String) -> Running<'_, i64> {
        Box::pin(async move {
            let spent = write.spend(&subject, 1_000, 1, 1).await?;
            // A job that fails after it wrote.
            spent.filter(|_| subject != "bad").ok_or(Error::UserUnknown)
        })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn everybody_in_a_group_gets_an_own_answer_and_one_failure_spoils_no_other() {
        let (_folder, store) = store().await;
        let mut all = tokio::task::JoinSet::new();
        for i in 0..300 {
            let store = store.clone();
            let subject = if i == 150 {
                "bad".to_owned()
            } else {
                format!("s{i}")
            };
            all.spawn(async move { (i, add(&store, &subject).await) });
        }
        for (i, outcome) in all.join_all().await {
            match outcome {
                Ok(full_at) => assert_eq!((full_at, i == 150), (1_001, false)),
                Err(problem) => assert!(i == 150, "{i}: {problem}"),
            }
        }
        assert!(store.full_at("bad").await.unwrap().is_none());
        for i in (0..300).filter(|i| *i != 150) {
            assert!(store.full_at(&format!("s{i}")).await.unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn a_write_that_panics_leaves_the_next_one_somebody_to_do_it() {
        let (_folder, store) = store().await;
        let outcome: Result<(), Error> = store
            .together(|_| Box::pin(async { panic!("a test") }))
            .await;
        assert!(matches!(outcome, Err(Error::Panic)), "{outcome:?}");
        assert_eq!(add(&store, "next").await.unwrap(), 1_001);
    }

    /// Asks, and goes away while another writes.
    async fn ask_and_go(store: &Store, asked: impl Future<Output = Result<i64, Error>>) {
        let writing = store.begin().await.unwrap();
        {
            let mut asked = std::pin::pin!(asked);
            // One turn puts it into the group; then nobody waits for it any more.
            let turn = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(asked.as_mut().poll(cx).is_pending())
            });
            assert!(turn.await);
        }
        writing.rollback().await.unwrap();
        add(store, "next").await.unwrap();
    }

    #[tokio::test]
    async fn a_write_whose_asker_went_away_before_it_began_is_left_undone() {
        let (_folder, store) = store().await;
        ask_and_go(&store, add(&store, "gone")).await;
        assert!(store.full_at("gone").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_is_to_be_done_in_any_case_is_done_though_its_asker_went_away() {
        let (_folder, store) = store().await;
        let asked = store.together_in_any_case(|write| spend(write, "gone".to_owned()));
        ask_and_go(&store, asked).await;
        assert!(store.full_at("gone").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn while_the_database_is_busy_everybody_who_waits_is_told_at_once() {
        let (_folder, store) = store().await;
        let job = || {
            let (done, told) = oneshot::channel();
            let work: Work = Box::new(|_| Box::pin(async { panic!("a test") }));
            let job = Job {
                work,
                done,
                is_for_asker: true,
            };
            (job, told)
        };
        let (mut group, mut all) = (Vec::new(), Vec::new());
        for i in 0..(3 * MOST) {
            let (job, told) = job();
            if i < MOST {
                group.push(job);
            } else {
                // Nobody is called: this test is at work on them.
                store.group.push(job);
            }
            all.push(told);
        }
        let busy = Error::Busy {
            retry_after_secs: 1,
        };
        alone(&store, &mut group, busy).await;
        for mut told in all {
            assert!(matches!(told.try_recv(), Ok(Err(Error::Busy { .. }))));
        }
        assert!(group.is_empty() && store.group.next().is_empty());
        assert_eq!(add(&store, "next").await.unwrap(), 1_001);
    }
}
