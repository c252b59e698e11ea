//! Answers that go on.

use std::{future::Future, pin::Pin, sync::Arc};

use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Response, Status};

use crate::{
    app::{App, Error, access::Operator},
    identity::TokenError,
};

/// What a streaming method returns.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Messages that may wait for the reader.
const AHEAD: usize = 16;

/// Runs `work` beside the call with a place to send to; it is dropped when the control plane stops.
pub(super) fn serve<T, F>(
    app: &Arc<App>,
    work: impl FnOnce(mpsc::Sender<Result<T, Status>>) -> F,
) -> Response<Answers<T>>
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (to, answers) = mpsc::channel(AHEAD);
    let stopping = to.clone();
    let work = work(to);
    let stop = app.tasks.stop.clone();
    app.tasks.tracker.spawn(async move {
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {
                let _ = stopping.try_send(Err(Error::Stopping.into()));
            }
        }
    });
    Response::new(Box::pin(ReceiverStream::new(answers)))
}

/// Like [`serve`] for an operator, until their token ends.
pub(super) fn serve_operator<T, F>(
    app: &Arc<App>,
    who: &Operator,
    work: impl FnOnce(mpsc::Sender<Result<T, Status>>) -> F,
) -> Response<Answers<T>>
where
    T: Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let expires_us = who.expires_us;
    let clock = app.clock.clone();
    serve(app, move |to| {
        let expired = to.clone();
        let work = work(to);
        async move {
            tokio::select! {
                () = work => {}
                () = clock.sleep_until(expires_us) => {
                    let _ = expired.try_send(Err(Error::Token(TokenError::Expired).into()));
                }
            }
        }
    })
}

/// Passes on what a use case sends, in the shape of the contract.
pub(super) async fn pass_on<A, B>(
    mut from: mpsc::Receiver<Result<A, Error>>,
    to: &mpsc::Sender<Result<B, Status>>,
    shape: impl Fn(A) -> B,
) {
    while let Some(item) = from.recv().await {
        let item = item.map(&shape).map_err(Status::from);
        if to.send(item).await.is_err() {
            return;
        }
    }
}
