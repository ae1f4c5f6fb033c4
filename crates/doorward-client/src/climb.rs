//! The climb, from the user's side.
//!
//! client -> gate     send offers
//! gate   -> client   choose, ask, tell or wait
//! client -> gate     send answer
//! client -> gate     say something unasked, while the gate waits
//! gate   -> client   admitted, or refused and closed
use std::{collections::VecDeque, future::Future};

use doorward_types::{Answer, Subject};
use doorward_wire::json::{self, Event};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    Answers, Ask, Choose, Chosen, Client, ClientError, ClimbError, Closed, Refused, Tell, Wait, client::parse,
};

/// What a gate says when the ladder is climbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The id of this socket.
    pub socket: String,
    /// Who was proven, where a layer proved somebody.
    pub subject: Option<Subject>,
    /// What is behind the gate: `hub`, `upstream`, `echo` ...
    pub backend: String,
    /// When the admission ends, in RFC 3339.
    pub expires_at: Option<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Climbs the gate's ladder: `answers` is asked whatever the gate asks.
    ///
    /// Where the gate admits or refuses while a question is still being answered, the question is dropped.
    ///
    /// # Errors
    /// [`ClimbError::Refused`] tells the close reason, whether to come back and the trace id; the others tell what went wrong
    /// before there was a verdict.
    pub async fn climb(&mut self, answers: &mut dyn Answers) -> Result<Admitted, ClimbError> {
        for answer in answers.unprompted() {
            self.answer(answer.kind(), &answer).await?;
        }
        let mut ahead = VecDeque::new();
        let mut waiting = None;
        loop {
            let event = match ahead.pop_front() {
                Some(event) => event,
                None => self.event_or_unasked(answers, waiting.as_ref()).await?,
            };
            // Who waits tells how far it is; whatever else is said, the wait is over.
            waiting = waiting.filter(|wait| matches!(&event, Event::Tell { layer, .. } if *layer == wait.layer));
            match event {
                Event::Ask { layer, step, fields, shows, expires_in } => {
                    let ask = Ask { layer, step, fields, shows, expires_in };
                    if let Some(answer) = self.meanwhile(answers.ask(&ask), &mut ahead).await? {
                        let answer = answer?;
                        self.answer(answer.kind().or(Some(&ask.layer)), &answer).await?;
                    }
                }
                Event::Choose { of, optional, expires_in } => {
                    let choose = Choose { of, optional, expires_in };
                    match self.meanwhile(answers.choose(&choose), &mut ahead).await?.transpose()? {
                        Some(Chosen::Take(answer)) => self.answer(answer.kind(), &answer).await?,
                        Some(Chosen::Skip) => self.answer(Some("skip"), &Answer::new()).await?,
                        None => {}
                    }
                }
                Event::Tell { layer, step, shows } => answers.tell(&Tell { layer, step, shows })?,
                Event::Wait { layer, step, shows, expires_in } => {
                    let wait = Wait { layer, step, shows, expires_in };
                    answers.wait(&wait)?;
                    waiting = Some(wait);
                }
                Event::Admitted { socket, subject, backend, expires_at } => {
                    return Ok(Admitted { socket, subject, backend, expires_at });
                }
                Event::Refused { code, reason, reconnect, after, trace } => {
                    return Err(ClimbError::Refused(Refused { code, reason, reconnect, after, trace }));
                }
                // Nothing else is said before the verdict, and later versions may say more.
                _ => {}
            }
        }
    }

    /// Waits for an answer, and listens meanwhile. `None` where the gate came to its verdict without it.
    async fn meanwhile<T>(
        &mut self,
        mut answering: impl Future<Output = T> + Unpin,
        ahead: &mut VecDeque<Event>,
    ) -> Result<Option<T>, ClimbError> {
        loop {
            tokio::select! {
                biased;
                answer = &mut answering => return Ok(Some(answer)),
                event = self.event() => {
                    let event = event?;
                    let is_verdict = matches!(event, Event::Admitted { .. } | Event::Refused { .. });
                    ahead.push_back(event);
                    if is_verdict {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The next event. Where the gate waits, what there is to say to it goes out meanwhile.
    async fn event_or_unasked(
        &mut self,
        answers: &mut dyn Answers,
        waiting: Option<&Wait>,
    ) -> Result<Event, ClimbError> {
        let Some(wait) = waiting else { return self.event().await };
        loop {
            let answer = tokio::select! {
                biased;
                event = self.event() => return event,
                answer = answers.unasked(wait) => answer?,
            };
            self.answer(answer.kind().or(Some(&wait.layer)), &answer).await?;
        }
    }

    async fn event(&mut self) -> Result<Event, ClimbError> {
        match self.connection.next().await? {
            Some(message) => Ok(parse(message)?),
            None => Err(self.connection.closed().map_or_else(
                || ClientError::Closed.into(),
                |Closed { code, reason }| ClimbError::Closed(Closed { code: *code, reason: reason.clone() }),
            )),
        }
    }

    async fn answer(&mut self, kind: Option<&str>, answer: &Answer) -> Result<(), ClimbError> {
        let fields: Vec<_> = answer
            .names()
            .filter_map(|name| Some((name, answer.text(name, "it is the answer to the gate")?)))
            .collect();
        Ok(self.send(&json::auth(kind, &fields)).await?)
    }
}
