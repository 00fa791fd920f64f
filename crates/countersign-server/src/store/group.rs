//! Group commit: writes that come while others are being made durable share the next transaction, and with it the wait
//! for the disk.
//!
//! A write of a group is answered after its transaction was committed, never before. When one of them fails, nothing of
//! the group stays, and each is tried once more alone: nobody pays for another's failure.

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
        let most = waiting.jobs.len().min(MOST);
        let jobs: Vec<Job> = waiting.jobs.drain(..most).collect();
        waiting.is_running = !jobs.is_empty();
        jobs
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
    /// Does a small write together with those that others ask for at the same time, durably.
    ///
    /// # Errors
    /// Those of `work`, and of the commit.
    pub(crate) async fn together<T: Send + 'static>(
        &self,
        work: impl for<'w> Fn(&'w mut Write) -> Running<'w, T> + Send + Sync + 'static,
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
        for job in jobs {
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
        // Each of them would wait as long again.
        for job in jobs.drain(..) {
            answer(job, Err(Error::Busy { retry_after_secs }));
        }
    } else if jobs.len() > 1 {
        while let [first, ..] = jobs.as_slice() {
            let outcome = store.commit_group(std::slice::from_ref(first)).await;
            answer(jobs.remove(0), outcome);
        }
    } else if let Some(job) = jobs.pop() {
        answer(job, Err(problem));
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

    #[tokio::test]
    async fn a_write_whose_asker_went_away_is_done_all_the_same() {
        let (_folder, store) = store().await;
        {
            let asked = add(&store, "gone");
            let mut asked = std::pin::pin!(asked);
            // One turn puts it into the group; then nobody waits for it any more.
            let turn = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(asked.as_mut().poll(cx).is_pending())
            });
            assert!(turn.await);
        }
        add(&store, "next").await.unwrap();
        assert!(store.full_at("gone").await.unwrap().is_some());
    }
}
