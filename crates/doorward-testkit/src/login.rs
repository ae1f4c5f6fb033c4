//! A login of the built-in site, as tests begin one.

use std::{net::IpAddr, time::Duration};

use doorward_auth::ports::{Account, NewSession, Session};
use doorward_types::{Cursor, SessionId, Timestamp};

/// A login of the account that begins at that time: by a password, without a browser, idle for half an hour and twelve hours at
/// the longest. A test writes what it means otherwise over it.
pub fn login_of(account: &Account, sid: SessionId, at: Timestamp) -> Session {
    Session {
        owner: account.owner.clone(),
        sid,
        account: account.id,
        username: account.username.clone(),
        role: account.role,
        browser: None,
        factors: vec!["pwd".to_owned()],
        source: IpAddr::from([192, 0, 2, 7]),
        agent: String::new(),
        created_at: at,
        last_seen: at,
        idle: Duration::from_mins(30),
        expires_at: at.plus(Duration::from_hours(12)),
        opened: Cursor::default(),
    }
}

/// What a store is asked to keep of a login whose cookie has that hash, where the log stood there before the account was looked
/// up: it takes the place of no other, however many there are.
pub fn beginning(session: Session, hash: Option<[u8; 32]>, as_of: Cursor) -> NewSession {
    NewSession { hash, session, replaces: None, at_most: usize::MAX, as_of }
}
