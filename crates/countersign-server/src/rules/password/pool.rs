//! Who may have a password judged or hashed: everybody has a place in a queue before anything is done or written.
//!
//! A flood of log-ins uses at most this much memory and time, and nothing but log-ins waits for it. Judging a new
//! password can be dearer than hashing one, so it has a queue of its own and never takes a hash slot.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use super::memory::Memory;
use super::{MEMORY_KIB, Password, dummy, is_readable};
use crate::error::Error;
use crate::rules::queue::{Place, Queue};

const MEMORY_BUDGET_KIB: u32 = 256 * 1024;
const QUEUE: usize = 64;
const JUDGES: usize = 1;
const JUDGED_QUEUE: usize = 32;
const DEADLINE: Duration = Duration::from_secs(3);

/// The slots, their memory, and the queues before them.
#[derive(Clone)]
pub(crate) struct Pool {
    hashing: Queue,
    judging: Queue,
    // As many as have been used at once, so at most as many as there are slots.
    free: Arc<Mutex<Vec<Memory>>>,
    dummy: Arc<str>,
    // What the service is called: no good password of anybody's.
    service: Arc<[String]>,
}

/// A place for one who says that a password is theirs.
pub(crate) struct Checking {
    pool: Pool,
    place: Place,
}

/// A place for one who chooses a password.
pub(crate) struct Choosing {
    pool: Pool,
    place: Place,
}

impl Pool {
    /// As many slots as there are cores, and as memory allows, for the service with this public URL.
    pub(crate) fn new(public_url: &str) -> Result<Self, Error> {
        let cores = available_parallelism().map_or(1, usize::from);
        let by_memory = usize::try_from(MEMORY_BUDGET_KIB.div_euclid(MEMORY_KIB)).unwrap_or(1);
        let slots = cores.min(by_memory).max(1);
        Ok(Self {
            hashing: Queue::new(slots, QUEUE, DEADLINE),
            judging: Queue::new(JUDGES, JUDGED_QUEUE, DEADLINE),
            free: Arc::default(),
            dummy: dummy()?.into(),
            service: names_of(public_url).into(),
        })
    }

    /// A place for a log-in from a site, where that is known, at once or not at all.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full, or as much of it as one site may have.
    pub(crate) fn checking(&self, site: Option<&str>) -> Result<Checking, Error> {
        Ok(Checking {
            pool: self.clone(),
            place: self.hashing.place_of(site)?,
        })
    }

    /// A place for a sign-up from a site, where that is known, at once or not at all.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full, or as much of it as one site may have.
    pub(crate) fn choosing(&self, site: Option<&str>) -> Result<Choosing, Error> {
        Ok(Choosing {
            pool: self.clone(),
            place: self.judging.place_of(site)?,
        })
    }

    /// What the hashes since the last look have asked for: memory in KiB, passes, lanes.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> Vec<(u32, u32, u32)> {
        let mut free = self.free.lock().unwrap();
        let asked = free.iter_mut().flat_map(|memory| memory.asked.drain(..));
        asked
            .map(|params| (params.m_cost(), params.t_cost(), params.p_cost()))
            .collect()
    }

    async fn hash<T: Send + 'static>(
        &self,
        place: &Place,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let free = Arc::clone(&self.free);
        place
            .run(move || {
                let taken = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut memory = taken.unwrap_or_default();
                let done = work(&mut memory);
                let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
                free.push(memory);
                done
            })
            .await
    }
}

impl Checking {
    /// Checks a password against a stored hash, or, for nobody and where that cannot be read, against one that no password
    /// has: the same work.
    ///
    /// # Errors
    /// [`Error::Busy`] when the deadline passed.
    pub(crate) async fn verify(
        &self,
        password: Password,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let stored = stored.filter(|stored| is_readable(stored));
        let is_somebody = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.pool.dummy.to_string());
        let work = move |memory: &mut Memory| password.verify(&stored, memory);
        let holds = self.pool.hash(&self.place, work).await?;
        Ok(holds && is_somebody)
    }

    /// Hashes a password that an account already has.
    ///
    /// # Errors
    /// [`Error::Busy`] when the deadline passed.
    pub(crate) async fn rehash(&self, password: Password) -> Result<String, Error> {
        let work = move |memory: &mut Memory| password.hash(memory);
        self.pool.hash(&self.place, work).await?
    }
}

impl Choosing {
    /// Hashes a new password that [`Password::judge`] lets pass.
    ///
    /// # Errors
    /// [`Error::WeakPassword`]; [`Error::Busy`] when the deadline passed, or the queue before the hashes is full.
    pub(crate) async fn hash(
        &self,
        password: Password,
        mut about: Vec<String>,
    ) -> Result<String, Error> {
        about.extend(self.pool.service.iter().cloned());
        let judged = password.clone();
        let work = move || judged.judge(&about.iter().map(String::as_str).collect::<Vec<_>>());
        self.place.run(work).await??;
        self.pool.checking(None)?.rehash(password).await
    }
}

/// Our own name, the host's and its parts.
fn names_of(public_url: &str) -> Vec<String> {
    let host = public_url.split("://").nth(1).unwrap_or_default();
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let names = ["countersign", host].into_iter().chain(host.split('.'));
    let names = names.filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(slots: usize) -> Pool {
        Pool {
            hashing: Queue::new(slots, QUEUE, DEADLINE),
            judging: Queue::new(JUDGES, 0, DEADLINE),
            ..Pool::new("").unwrap()
        }
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_after_the_same_work() {
        let pool = Pool::new("").unwrap();
        let password = Password::new("correct horse battery");
        let checking = pool.checking(None).unwrap();
        assert!(!checking.verify(password, None).await.unwrap());
    }

    #[tokio::test]
    async fn a_flood_of_sign_ups_takes_no_place_of_a_log_in() {
        let pool = small(1);
        let choosing = pool.choosing(None).unwrap();
        assert!(matches!(pool.choosing(None), Err(Error::Busy { .. })));
        let everyone: Vec<_> = (0..=QUEUE).map(|_| pool.checking(None).unwrap()).collect();
        let password = || Password::new("lantern orbit quilt mosaic 42");
        // Judged although every hash slot's place is taken; hashed only when one is free again.
        let weak = choosing.hash(Password::new("passwordpassword"), Vec::new());
        assert!(matches!(weak.await, Err(Error::WeakPassword { .. })));
        let full = choosing.hash(password(), Vec::new()).await;
        assert!(matches!(full, Err(Error::Busy { .. })));
        drop(everyone);
        assert!(choosing.hash(password(), Vec::new()).await.is_ok());
    }

    #[tokio::test]
    async fn what_the_service_is_called_is_no_password() {
        let pool = Pool::new("https://id.widget-makers.example:8443/auth").unwrap();
        for weak in [
            "Countersign-2026",
            "id.widget-makers.example",
            "Widget-Makers2026!",
        ] {
            let choosing = pool.choosing(None).unwrap();
            let hash = choosing.hash(Password::new(weak), Vec::new()).await;
            assert!(matches!(hash, Err(Error::WeakPassword { .. })), "{weak}");
        }
    }

    const ALONE: &str = "COUNTERSIGN_TEST_ALONE";

    /// The most KiB that this process has had in memory, where the system says so.
    fn peak_kib() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// 16 at a time, 208 in all.
    async fn flood(pool: &Pool) {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let pool = pool.clone();
            all.spawn(async move {
                for _ in 0..13 {
                    let checking = pool.checking(None).unwrap();
                    let verified = checking.verify(Password::new("wrong password"), None).await;
                    assert!(!verified.unwrap());
                }
            });
        }
        // Panics with what panicked in there.
        all.join_all().await;
    }

    #[test]
    fn a_flood_of_log_ins_takes_the_memory_of_its_slots_and_no_more() {
        const NAME: &str = "a_flood_of_log_ins_takes_the_memory_of_its_slots_and_no_more";
        if std::env::var_os(ALONE).is_none() {
            // In a process of its own: here, other tests use memory at the same time.
            let name = format!("{}::{NAME}", module_path!().split_once("::").unwrap().1);
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let output = alone.args(["--exact", &name]).env(ALONE, "1").output();
            let output = String::from_utf8(output.unwrap().stdout).unwrap();
            assert!(output.contains("1 passed"), "{output}");
            return;
        }
        let Some(before) = peak_kib() else { return };
        let pool = small(2);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(flood(&pool));
        let grown = peak_kib().unwrap() - before;
        assert!(grown < 2 * u64::from(MEMORY_KIB) + 40_000, "{grown} KiB");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn as_many_memories_as_slots_serve_any_number_of_log_ins() {
        let pool = small(2);
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let checking = pool.checking(None).unwrap();
            all.spawn(async move { checking.verify(Password::new("wrong password"), None).await });
        }
        assert!(all.join_all().await.iter().all(Result::is_ok));
        assert!((1..=2).contains(&pool.free.lock().unwrap().len()));
    }
}
