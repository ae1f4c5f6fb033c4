//! The tree `cart`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use doorward_auth::{
    BoxFuture, Proof,
    memory::MemoryCarts,
    ports::{Added, CartOf, Carts, PortError, Quantity, Sku},
};
use doorward_backends::ninep::trees::{Cart, Root, Session};
use doorward_wire::ninep::{Fid, OpenMode, Reply, Request};

use crate::{
    clients::{Client, Way, clunk, enter, enter_by, open, read, walk, world, write},
    support::{World, somebody},
};

fn tree(carts: &Arc<MemoryCarts>) -> Root {
    Root::default().with("session", Session).with("cart", Cart::kept_in(Arc::clone(carts) as _))
}

fn create(fid: u32, name: &str, mode: OpenMode) -> Request<'_> {
    Request::Create { fid: Fid(fid), name, permissions: 0o600, mode }
}

/// Puts one of something into the cart.
async fn adds(client: &mut Client, sku: &str) {
    client.does(walk(0, 500, &["cart"])).await;
    client.does(create(500, sku, OpenMode::WRITE)).await;
    client.does(clunk(500)).await;
}

#[tokio::test(start_paused = true)]
async fn to_create_a_file_adds_one_to_write_it_sets_how_many_and_to_remove_it_takes_it_out() {
    let (world, carts) = (world(), Arc::default());
    let mut client = enter(&world, tree(&carts)).await;
    client.begins().await;
    assert_eq!(client.lists(&[]).await, ["session", "cart"]);
    client.does(walk(0, 1, &["cart"])).await;
    client.does(create(1, "sku-7", OpenMode::READ_WRITE)).await;
    assert_eq!(client.reads(1).await, "1\n");
    for quantity in ["3", "9999\n", "07", "12\n"] {
        let told = client.does(write(1, 0, quantity.as_bytes())).await;
        assert_eq!(told.reply(), Reply::Write { count: quantity.len() as u32 });
        let number: u16 = quantity.trim().parse().unwrap();
        assert_eq!(client.reads(1).await, format!("{number}\n"));
    }
    adds(&mut client, "sku-8").await;
    assert_eq!(client.lists(&["cart"]).await, ["sku-7", "sku-8"]);
    let told = client.does(Request::Stat { fid: Fid(1) }).await;
    assert!(matches!(told.reply(), Reply::Stat { stat } if (stat.name, stat.length, stat.mode) == ("sku-7", 3, 0o600)));
    client.does(Request::Remove { fid: Fid(1) }).await;
    assert_eq!(client.lists(&["cart"]).await, ["sku-8"]);
    is_not_there(&mut client, &["cart", "sku-7"]).await;
}

/// A walk that ends on the way is no error: the name is not there all the same.
async fn is_not_there(client: &mut Client, names: &[&str]) {
    let told = client.told(walk(0, 700, names)).await;
    let short = matches!(told.reply(), Reply::Walk { qids } if qids.len() < names.len());
    assert!(short || told.error() == Some("file not found"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_quantity_changes_nothing() {
    let (world, carts) = (world(), Arc::default());
    let mut client = enter(&world, tree(&carts)).await;
    client.begins().await;
    adds(&mut client, "sku-7").await;
    client.opens(1, &["cart", "sku-7"], OpenMode::READ_WRITE.truncating()).await;
    let wrong: [&[u8]; 12] =
        [b"0", b"10000", b"-1", b"+1", b"", b"\n", b"1.5", b"3\n\n", b" 3", b"three", b"\xff", b"99999999999999999999"];
    for quantity in wrong {
        client.is_refused(write(1, 0, quantity), "a quantity is a whole number from 1 to 9999").await;
    }
    client.is_refused(write(1, 1, b"3"), "bad offset").await;
    assert_eq!(client.reads(1).await, "1\n");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_sku_is_not_made_and_not_there() {
    let (world, carts) = (world(), Arc::default());
    let mut client = enter(&world, tree(&carts)).await;
    client.begins().await;
    client.does(walk(0, 1, &["cart"])).await;
    for name in ["-7", ".hidden", "a b", "ä", &"s".repeat(65)] {
        let text = "a SKU is 1 to 64 letters, digits, `-`, `_` and `.`, and begins with a letter or a digit";
        client.is_refused(create(1, name, OpenMode::READ), text).await;
        is_not_there(&mut client, &["cart", name]).await;
    }
    adds(&mut client, "sku-7").await;
    client.is_refused(create(1, "sku-7", OpenMode::READ), "file already exists").await;
    for number in 0..199 {
        adds(&mut client, &number.to_string()).await;
    }
    client.is_refused(create(1, "one-more", OpenMode::READ), "a cart holds 200 things").await;
    assert_eq!(client.told(walk(0, 2, &["cart", "198"])).await.error(), None);
}

#[tokio::test(start_paused = true)]
async fn two_accounts_see_two_carts_and_two_connections_of_one_account_the_same() {
    let (world, carts) = (world(), Arc::default());
    let mut bob = enter(&world, tree(&carts)).await;
    let mut again = enter(&world, tree(&carts)).await;
    let mut eve = enter_by(&world, tree(&carts), Way::of("eve")).await;
    for client in [&mut bob, &mut again, &mut eve] {
        client.begins().await;
    }
    adds(&mut bob, "sku-7").await;
    adds(&mut eve, "sku-8").await;
    assert_eq!(bob.lists(&["cart"]).await, ["sku-7"]);
    assert_eq!(again.lists(&["cart"]).await, ["sku-7"]);
    assert_eq!(eve.lists(&["cart"]).await, ["sku-8"]);
    is_not_there(&mut eve, &["cart", "sku-7"]).await;
    is_not_there(&mut eve, &["cart", "..", "..", "cart", "sku-7"]).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_was_not_proven_to_be_somebody_has_no_cart() {
    let (world, carts) = (world(), Arc::default());
    let mut client = enter_by(&world, tree(&carts), Way { proof: Proof::default(), ..Way::of("") }).await;
    client.begins().await;
    assert_eq!(client.lists(&[]).await, ["session"]);
    client.is_refused(walk(0, 1, &["cart"]), "file not found").await;
    client.opens(1, &["session"], OpenMode::READ).await;
    assert!(client.reads(1).await.starts_with("subject none\n"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_read_in_parts_is_one_text_and_one_that_was_taken_out_is_gone() {
    let (world, carts) = (world(), Arc::default());
    let mut client = enter(&world, tree(&carts)).await;
    client.begins().await;
    adds(&mut client, "sku-7").await;
    client.opens(1, &["cart", "sku-7"], OpenMode::READ_WRITE).await;
    client.opens(2, &["cart", "sku-7"], OpenMode::READ_WRITE.removing_on_close()).await;
    client.does(write(1, 0, b"1234")).await;
    assert_eq!(client.does(read(1, 0, 2)).await.data(), b"12");
    client.does(write(2, 0, b"5")).await;
    assert_eq!(client.does(read(1, 2, 10)).await.data(), b"34\n");
    assert_eq!(client.does(read(1, 5, 10)).await.data(), b"");
    assert_eq!(client.reads(1).await, "5\n");
    client.does(walk(0, 3, &["cart", "sku-7"])).await;
    client.does(clunk(2)).await;
    client.is_refused(read(1, 0, 10), "file not found").await;
    client.is_refused(write(1, 0, b"1"), "file not found").await;
    client.is_refused(Request::Stat { fid: Fid(3) }, "file not found").await;
    client.is_refused(open(3, OpenMode::READ), "file not found").await;
    client.is_refused(Request::Remove { fid: Fid(3) }, "file not found").await;
}

/// Carts that are down, or say nothing at all.
struct Down {
    silent: bool,
    asked: AtomicUsize,
}

impl Down {
    fn answer<'a, T: Send + 'a>(&'a self) -> BoxFuture<'a, Result<T, PortError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            if self.silent {
                std::future::pending::<()>().await;
            }
            Err(PortError { port: "carts", detail: "on purpose".into() })
        })
    }
}

impl Carts for Down {
    fn add<'a>(&'a self, _: &'a CartOf, _: &'a Sku) -> BoxFuture<'a, Result<Added, PortError>> {
        self.answer()
    }

    fn find<'a>(&'a self, _: &'a CartOf, _: &'a Sku) -> BoxFuture<'a, Result<Option<Quantity>, PortError>> {
        self.answer()
    }

    fn set<'a>(&'a self, _: &'a CartOf, _: &'a Sku, _: Quantity) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer()
    }

    fn remove<'a>(&'a self, _: &'a CartOf, _: &'a Sku) -> BoxFuture<'a, Result<bool, PortError>> {
        self.answer()
    }

    fn list<'a>(&'a self, _: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>> {
        self.answer()
    }

    fn empty<'a>(&'a self, _: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>> {
        self.answer()
    }
}

#[tokio::test(start_paused = true)]
async fn carts_that_are_down_or_silent_are_an_error_and_the_connection_goes_on() {
    let world: World = world();
    for silent in [false, true] {
        let tree = Root::default().with("cart", Cart::kept_in(Arc::new(Down { silent, asked: AtomicUsize::new(0) })));
        let mut client = enter_by(&world, tree, Way { proof: somebody("bob"), ..Way::of("bob") }).await;
        client.begins().await;
        client.does(walk(0, 1, &["cart"])).await;
        client.does(walk(0, 2, &["cart"])).await;
        client.does(open(2, OpenMode::READ)).await;
        client.is_refused(create(1, "sku-7", OpenMode::READ), "try again later").await;
        client.is_refused(walk(1, 3, &["sku-7"]), "try again later").await;
        client.is_refused(read(2, 0, 100), "try again later").await;
        client.does(clunk(1)).await;
    }
}
