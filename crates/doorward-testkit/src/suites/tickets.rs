use doorward_auth::ports::{Ticket, TicketBinding, Tickets};
use doorward_types::{GateName, Rest, Timestamp};

use super::{acme, all, globex, member};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_000_030);

/// Everything that [`Tickets`] promises.
pub async fn tickets(port: &dyn Tickets) {
    a_ticket_comes_back_as_it_was_minted(port).await;
    a_ticket_opens_once(port).await;
    c10_of_fifty_redemptions_at_once_exactly_one_gets_the_ticket(port).await;
    c11_a_ticket_at_its_expiry_opens_nothing_and_does_not_come_back(port).await;
    an_unknown_ticket_is_none(port).await;
    a_ticket_of_one_owner_is_unknown_to_another_and_is_not_burned_by_it(port).await;
    two_owners_may_have_a_ticket_under_the_same_hash(port).await;
}

fn ticket() -> Ticket {
    Ticket {
        owner: acme(),
        binding: TicketBinding::Gate(GateName::new("fancy")),
        origin: Some("https://app.example".into()),
        subject: member("bob"),
        rests_on: vec![Rest::on("sid", "s-1=2"), Rest::on("key", "☂\"")],
        issued_at: NOW,
        expires_at: LATER,
    }
}

async fn a_ticket_comes_back_as_it_was_minted(port: &dyn Tickets) {
    let of_the_owner = Ticket { binding: TicketBinding::AnyGateOfOwner, origin: None, rests_on: vec![], ..ticket() };
    for (hash, minted) in [([1; 32], ticket()), ([2; 32], of_the_owner)] {
        port.mint(hash, minted.clone()).await.unwrap();
        assert_eq!(port.consume(&acme(), hash, NOW).await, Ok(Some(minted)));
    }
}

async fn a_ticket_opens_once(port: &dyn Tickets) {
    port.mint([3; 32], ticket()).await.unwrap();
    assert!(port.consume(&acme(), [3; 32], NOW).await.unwrap().is_some());
    assert_eq!(port.consume(&acme(), [3; 32], NOW).await, Ok(None), "a used ticket opened again");
}

async fn c10_of_fifty_redemptions_at_once_exactly_one_gets_the_ticket(port: &dyn Tickets) {
    let owner = acme();
    port.mint([4; 32], ticket()).await.unwrap();
    let redeemed = all((0..50).map(|_| port.consume(&owner, [4; 32], NOW))).await;
    let got = redeemed.into_iter().filter(|redeemed| matches!(redeemed, Ok(Some(_)))).count();
    assert_eq!(got, 1, "of fifty redemptions {got} got the ticket");
}

async fn c11_a_ticket_at_its_expiry_opens_nothing_and_does_not_come_back(port: &dyn Tickets) {
    port.mint([5; 32], ticket()).await.unwrap();
    assert_eq!(port.consume(&acme(), [5; 32], LATER).await, Ok(None), "an expired ticket opened");
    assert_eq!(
        port.consume(&acme(), [5; 32], NOW).await,
        Ok(None),
        "an expired ticket came back with an earlier clock"
    );
}

async fn an_unknown_ticket_is_none(port: &dyn Tickets) {
    assert_eq!(port.consume(&acme(), [6; 32], NOW).await, Ok(None));
}

async fn a_ticket_of_one_owner_is_unknown_to_another_and_is_not_burned_by_it(port: &dyn Tickets) {
    port.mint([7; 32], ticket()).await.unwrap();
    assert_eq!(port.consume(&globex(), [7; 32], NOW).await, Ok(None), "a ticket crossed to another owner");
    assert!(port.consume(&acme(), [7; 32], NOW).await.unwrap().is_some(), "another owner burned the ticket");
}

async fn two_owners_may_have_a_ticket_under_the_same_hash(port: &dyn Tickets) {
    port.mint([8; 32], ticket()).await.unwrap();
    port.mint([8; 32], Ticket { owner: globex(), ..ticket() }).await.unwrap();
    for owner in [acme(), globex()] {
        let consumed = port.consume(&owner, [8; 32], NOW).await.unwrap();
        assert_eq!(consumed.map(|ticket| ticket.owner), Some(owner));
    }
}
