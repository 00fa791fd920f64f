//! The inspector alone: on loopback, without a database, for as long as somebody looks at tokens.

use std::fmt;
use std::net::SocketAddr;

use axum_server::Handle;
use tokio::net::TcpListener;

use super::Inspector;
use crate::app::{Connections, bind, in_the_clear};
use crate::error::Error;
use crate::router::lone_inspector;
use crate::rules::proxies::Proxies;

/// An inspector that is bound, and answers once it runs.
pub struct LoneInspector {
    listener: TcpListener,
    address: SocketAddr,
}

impl fmt::Debug for LoneInspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoneInspector")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Binds an address of this machine. Keeps nothing, fetches nothing but the keys of issuers that the person at the page
/// asks for, and answers no name but its own address.
///
/// # Errors
/// [`Error::Argument`] for an address that others could reach, [`Error::Listen`].
pub async fn start_inspector(listen: SocketAddr) -> Result<LoneInspector, Error> {
    if !listen.ip().is_loopback() {
        return Err(Error::Argument(format!(
            "others could reach {listen}, and the tokens that are pasted there are nobody else's business; listen on 127.0.0.1, or run `countersign serve`, which has accounts"
        )));
    }
    let (listener, address) = bind(listen).await?;
    Ok(LoneInspector { listener, address })
}

impl LoneInspector {
    /// The address of the page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/inspect", self.address)
    }

    /// Answers requests until `shutdown` is ready.
    ///
    /// # Errors
    /// [`Error::Serve`] when the listener fails.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let handle = Handle::<SocketAddr>::new();
        let end = handle.clone();
        tokio::spawn(async move {
            shutdown.await;
            end.shutdown();
        });
        let inspector = Inspector::alone(format!("http://{}", self.address));
        let service = lone_inspector(inspector, self.address)?;
        let connections = Connections::of_this_process(Proxies::default());
        in_the_clear(self.listener, connections, handle)
            .serve(service.into_make_service_with_connect_info::<SocketAddr>())
            .await
            .map_err(Error::Serve)
    }
}
