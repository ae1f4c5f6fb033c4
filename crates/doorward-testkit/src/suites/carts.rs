use doorward_auth::ports::{Added, CART_ENTRIES, CartOf, Carts, Quantity, Sku};
use doorward_types::Subject;

use super::{acme, all, globex, member};

/// Everything that [`Carts`] promises.
pub async fn carts(port: &dyn Carts) {
    what_is_added_is_there_once_and_stays_as_it_is_when_it_is_added_again(port).await;
    what_is_not_there_is_neither_changed_nor_removed(port).await;
    a_cart_is_listed_by_name(port).await;
    nothing_crosses_between_subjects_or_owners(port).await;
    the_name_of_a_subject_counts_for_nothing(port).await;
    a_full_cart_takes_nothing_more_also_of_many_at_once(port).await;
    of_many_that_add_the_same_at_once_exactly_one_does(port).await;
    what_is_in_a_cart_is_given_once_when_many_empty_it(port).await;
}

fn sku(name: &str) -> Sku {
    name.parse().unwrap()
}

fn so_many(number: u16) -> Quantity {
    Quantity::of(number).unwrap()
}

fn cart(pk: &str) -> CartOf {
    CartOf { owner: acme(), kind: "member".into(), pk: pk.into() }
}

async fn what_is_added_is_there_once_and_stays_as_it_is_when_it_is_added_again(port: &dyn Carts) {
    let (cart, sku) = (cart("adds"), sku("sku-7"));
    assert_eq!(port.find(&cart, &sku).await, Ok(None));
    assert_eq!(port.add(&cart, &sku).await, Ok(Added::New));
    assert_eq!(port.find(&cart, &sku).await, Ok(Some(Quantity::ONE)));
    assert_eq!(port.set(&cart, &sku, so_many(9999)).await, Ok(true));
    assert_eq!(port.add(&cart, &sku).await, Ok(Added::WasThere));
    assert_eq!(port.find(&cart, &sku).await, Ok(Some(so_many(9999))), "a quantity was lost");
    assert_eq!(port.remove(&cart, &sku).await, Ok(true));
    assert_eq!(port.find(&cart, &sku).await, Ok(None));
}

async fn what_is_not_there_is_neither_changed_nor_removed(port: &dyn Carts) {
    let (cart, sku) = (cart("empty"), sku("sku-7"));
    assert_eq!(port.set(&cart, &sku, so_many(3)).await, Ok(false));
    assert_eq!(port.remove(&cart, &sku).await, Ok(false));
    assert_eq!(port.list(&cart).await, Ok(vec![]), "it was put there");
}

async fn a_cart_is_listed_by_name(port: &dyn Carts) {
    let cart = cart("lists");
    for name in ["b", "a", "B", "10", "9"] {
        assert_eq!(port.add(&cart, &sku(name)).await, Ok(Added::New), "{name} is another thing");
    }
    assert_eq!(port.set(&cart, &sku("b"), so_many(4)).await, Ok(true));
    let expected = [("10", 1), ("9", 1), ("B", 1), ("a", 1), ("b", 4)];
    assert_eq!(port.list(&cart).await, Ok(expected.map(|(name, number)| (sku(name), so_many(number))).to_vec()));
}

async fn nothing_crosses_between_subjects_or_owners(port: &dyn Carts) {
    let mine = cart("crossing");
    assert_eq!(port.add(&mine, &sku("mine")).await, Ok(Added::New));
    for other in [
        CartOf { owner: globex(), ..mine.clone() },
        CartOf { kind: "machine".into(), ..mine.clone() },
        CartOf { pk: "crossin".into(), ..mine.clone() },
    ] {
        assert_eq!(port.find(&other, &sku("mine")).await, Ok(None), "{other:?}");
        assert_eq!(port.list(&other).await, Ok(vec![]), "{other:?}");
        assert_eq!(port.set(&other, &sku("mine"), so_many(2)).await, Ok(false), "{other:?}");
        assert_eq!(port.remove(&other, &sku("mine")).await, Ok(false), "{other:?}");
    }
    assert_eq!(port.find(&mine, &sku("mine")).await, Ok(Some(Quantity::ONE)));
}

async fn the_name_of_a_subject_counts_for_nothing(port: &dyn Carts) {
    let before = CartOf::subject(&acme(), &member("renamed"));
    assert_eq!(port.add(&before, &sku("kept")).await, Ok(Added::New));
    let after = CartOf::subject(&acme(), &Subject { uuid: "another name".into(), ..member("renamed") });
    assert_eq!(port.find(&after, &sku("kept")).await, Ok(Some(Quantity::ONE)));
}

async fn a_full_cart_takes_nothing_more_also_of_many_at_once(port: &dyn Carts) {
    let cart = cart("full");
    for number in 0..CART_ENTRIES - 5 {
        assert_eq!(port.add(&cart, &sku(&number.to_string())).await, Ok(Added::New));
    }
    let more: Vec<Sku> = (0..20).map(|number| sku(&format!("more-{number}"))).collect();
    let added = all(more.iter().map(|more| port.add(&cart, more))).await;
    let count = |wanted| added.iter().filter(|one| **one == Ok(wanted)).count();
    assert_eq!((count(Added::New), count(Added::Full)), (5, 15));
    assert_eq!(port.add(&cart, &sku("0")).await, Ok(Added::WasThere), "what is there is there");
    assert_eq!(port.remove(&cart, &sku("0")).await, Ok(true));
    assert_eq!(port.add(&cart, &sku("last")).await, Ok(Added::New));
    assert_eq!(port.list(&cart).await.map(|held| held.len()), Ok(CART_ENTRIES));
}

async fn of_many_that_add_the_same_at_once_exactly_one_does(port: &dyn Carts) {
    let (cart, sku) = (cart("races"), sku("sku-7"));
    let added = all((0..50).map(|_| port.add(&cart, &sku))).await;
    assert_eq!(added.iter().filter(|one| **one == Ok(Added::New)).count(), 1);
    assert_eq!(added.iter().filter(|one| **one == Ok(Added::WasThere)).count(), 49);
}

async fn what_is_in_a_cart_is_given_once_when_many_empty_it(port: &dyn Carts) {
    let (mine, other) = (cart("emptied"), cart("not emptied"));
    assert_eq!(port.empty(&mine).await, Ok(vec![]), "there is nothing in it");
    for name in ["b", "a"] {
        assert_eq!(port.add(&mine, &sku(name)).await, Ok(Added::New));
    }
    assert_eq!(port.set(&mine, &sku("b"), so_many(4)).await, Ok(true));
    assert_eq!(port.add(&other, &sku("a")).await, Ok(Added::New));
    let emptied = all((0..20).map(|_| port.empty(&mine))).await;
    let given: Vec<_> = emptied.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(given, [(sku("a"), Quantity::ONE), (sku("b"), so_many(4))]);
    assert_eq!(port.list(&mine).await, Ok(vec![]));
    assert_eq!(port.list(&other).await, Ok(vec![(sku("a"), Quantity::ONE)]));
}
