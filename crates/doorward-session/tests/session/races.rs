//! No schedule leaves an immortal socket (C6).

use std::{
    io,
    sync::{Arc, Barrier},
    task::{Context, Poll},
};

use doorward_session::{Socket, Sockets, Target, Transport};
use doorward_types::{CloseReason, Cursor, Rest};

use crate::support::{Dice, Over, World, climb, login, quiet};

/// A stream that takes nothing and gives nothing: what races here is who knows of whom.
struct Nowhere;

impl Transport for Nowhere {
    fn poll_read(&self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(&self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&self) {}
}

fn register(sockets: &Arc<Sockets>, sid: &str, as_of: Cursor) -> Option<Arc<Socket>> {
    sockets.register(climb(login(sid, sid), as_of), Arc::new(Nowhere), quiet()).ok()
}

fn login_of(number: usize) -> doorward_auth::Proof {
    login(&number.to_string(), &number.to_string())
}

fn end(sockets: &Sockets, sid: &str) {
    sockets.end(None, &Target::Rest(Rest::on("sid", sid)), CloseReason::SessionEnded);
}

/// What may happen to a login, in the order in which it can: a climb begins, its layer looks whether the session lives, the
/// socket is registered. The logout comes at any time.
#[derive(Clone, Copy)]
enum Act {
    Begin,
    Look,
    Register,
    Logout,
}

#[tokio::test]
async fn c6_in_no_order_of_climbs_registrations_and_logouts_is_a_socket_out_of_reach() {
    const LOGINS: usize = 40;
    let mut raced = 0;
    for seed in 0..200 {
        let sockets = World::over(Over::Pipe).sockets.clone();
        let dice = Dice::of(seed);
        let mut left: Vec<Vec<Act>> = (0..LOGINS)
            .map(|_| {
                let mut acts = vec![Act::Begin, Act::Look, Act::Register];
                acts.insert(dice.below(4), Act::Logout);
                acts.reverse();
                acts
            })
            .collect();
        let mut as_of = vec![Cursor(0); LOGINS];
        let mut logged_out = [false; LOGINS];
        let mut looks_good = [false; LOGINS];
        let mut live = Vec::new();
        while left.iter().any(|acts| !acts.is_empty()) {
            let login = dice.below(LOGINS);
            let sid = login.to_string();
            match left[login].pop() {
                None => {}
                Some(Act::Begin) => as_of[login] = sockets.cursor(),
                Some(Act::Look) => looks_good[login] = !logged_out[login],
                Some(Act::Logout) => {
                    logged_out[login] = true;
                    end(&sockets, &sid);
                }
                Some(Act::Register) => {
                    raced += usize::from(looks_good[login] && logged_out[login]);
                    if looks_good[login] {
                        live.extend(register(&sockets, &sid, as_of[login]));
                    }
                }
            }
        }
        let immortal = live.iter().filter(|socket| socket.is_open()).count();
        assert_eq!((immortal, sockets.len()), (0, 0), "seed {seed}");
    }
    assert!(raced > 1000, "the race was run: {raced} logouts fell between a look and a registration");
}

#[tokio::test]
async fn c6_logouts_that_race_registrations_on_other_threads_reach_all_of_them() {
    const LOGINS: usize = 2_000;
    let sockets = World::over(Over::Pipe).sockets.clone();
    let as_of = sockets.cursor();
    let each = Barrier::new(2);
    let registered: Vec<_> = std::thread::scope(|scope| {
        let registering = scope.spawn(|| {
            let race = |login: usize| {
                let admission = climb(login_of(login), as_of);
                each.wait();
                sockets.register(admission, Arc::new(Nowhere), quiet()).ok()
            };
            (0..LOGINS).filter_map(race).collect()
        });
        scope.spawn(|| {
            for login in 0..LOGINS {
                each.wait();
                end(&sockets, &login.to_string());
            }
        });
        registering.join().unwrap()
    });
    assert_eq!(registered.iter().filter(|socket| socket.is_open()).count(), 0);
    assert!(sockets.is_empty());
}

#[tokio::test]
async fn sockets_that_come_and_go_on_many_threads_leave_an_empty_registry() {
    let sockets = World::over(Over::Pipe).sockets.clone();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let sockets = &sockets;
            scope.spawn(move || {
                let dice = Dice::of(thread);
                let mut mine = Vec::new();
                for _ in 0..2_000 {
                    if dice.below(2) == 0 || mine.is_empty() {
                        mine.extend(register(sockets, &dice.below(50).to_string(), sockets.cursor()));
                    } else {
                        mine.swap_remove(dice.below(mine.len()));
                    }
                    if dice.below(20) == 0 {
                        end(sockets, &dice.below(50).to_string());
                    }
                }
            });
        }
    });
    assert!(sockets.is_empty());
    assert!(sockets.list(None, 10).is_empty());
}
