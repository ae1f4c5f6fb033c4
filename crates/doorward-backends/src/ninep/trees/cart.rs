use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use doorward_auth::{
    BoxFuture,
    ports::{ANSWER_WITHIN, Added, CART_ENTRIES, CartOf, Carts, MOST_OF_ONE, PortError, Quantity, Sku},
};
use doorward_session::Socket;
use doorward_wire::ninep::{OpenMode, Qid};

use super::{part_of, root};
use crate::ninep::{Answer, Entry, Node, OpenFile, Tree, Trouble};

/// The shopping cart of whoever is there: a file for each thing in it.
///
/// ```text
/// create sku-7       puts one of it into the cart
/// read   sku-7       "1\n"
/// write  sku-7 "3"   sets how many: 1 to 9999, in decimal
/// remove sku-7       takes it out
/// ```
///
/// Whoever was not proven to be somebody has none.
pub struct Cart {
    carts: Arc<dyn Carts>,
}

const NAME: &str = "cart";

impl Cart {
    /// Carts that are kept there.
    pub fn kept_in(carts: Arc<dyn Carts>) -> Self {
        Self { carts }
    }
}

impl Tree for Cart {
    fn root(&self, socket: &Arc<Socket>) -> Option<Arc<dyn Node>> {
        let admission = socket.admission();
        let of = CartOf::subject(admission.owner(), admission.subject()?);
        Some(Arc::new(Basket(Arc::new(Kept { carts: Arc::clone(&self.carts), of }))))
    }
}

/// A cart, and where it is kept.
struct Kept {
    carts: Arc<dyn Carts>,
    of: CartOf,
}

impl Kept {
    async fn quantity(&self, sku: &Sku) -> Result<Quantity, Trouble> {
        ask(self.carts.find(&self.of, sku)).await?.ok_or(Trouble::NotFound)
    }
}

/// The directory.
struct Basket(Arc<Kept>);

impl Node for Basket {
    fn qid(&self) -> Qid {
        root::directory(&[NAME])
    }

    fn stat(&self) -> Answer<Entry> {
        Answer::Now(Ok(Entry { permissions: 0o700, ..root::entry_of_directory(NAME, self.qid()) }))
    }

    fn walk(&self, name: &str) -> Answer<Arc<dyn Node>> {
        let Ok(sku) = name.parse::<Sku>() else { return Trouble::NotFound.into() };
        let cart = Arc::clone(&self.0);
        Answer::Later(Box::pin(async move {
            cart.quantity(&sku).await?;
            Ok(Arc::new(Item { cart, sku }) as _)
        }))
    }

    fn list(&self) -> Answer<Vec<Entry>> {
        let cart = Arc::clone(&self.0);
        Answer::Later(Box::pin(async move {
            let held = ask(cart.carts.list(&cart.of)).await?;
            Ok(held.into_iter().map(|(sku, quantity)| entry(&sku, quantity)).collect())
        }))
    }

    fn create(&self, name: &str, _mode: OpenMode) -> Answer<(Arc<dyn Node>, Box<dyn OpenFile>)> {
        let sku = match name.parse::<Sku>() {
            Ok(sku) => sku,
            Err(unfit) => return Trouble::Other(unfit.to_string().into()).into(),
        };
        let cart = Arc::clone(&self.0);
        Answer::Later(Box::pin(async move {
            match ask(cart.carts.add(&cart.of, &sku)).await? {
                Added::New => {}
                Added::WasThere => return Err(Trouble::Exists),
                Added::Full => return Err(Trouble::Other(format!("a cart holds {CART_ENTRIES} things").into())),
            }
            let open = Open::of(&cart, &sku, content(Quantity::ONE));
            Ok((Arc::new(Item { cart, sku }) as _, Box::new(open) as _))
        }))
    }
}

/// A thing in a cart.
struct Item {
    cart: Arc<Kept>,
    sku: Sku,
}

impl Node for Item {
    fn qid(&self) -> Qid {
        root::file(&[NAME, self.sku.as_str()])
    }

    fn stat(&self) -> Answer<Entry> {
        let (cart, sku) = (Arc::clone(&self.cart), self.sku.clone());
        Answer::Later(Box::pin(async move { Ok(entry(&sku, cart.quantity(&sku).await?)) }))
    }

    fn open(&self, _mode: OpenMode) -> Answer<Box<dyn OpenFile>> {
        let (cart, sku) = (Arc::clone(&self.cart), self.sku.clone());
        Answer::Later(Box::pin(async move {
            let quantity = cart.quantity(&sku).await?;
            Ok(Box::new(Open::of(&cart, &sku, content(quantity))) as _)
        }))
    }

    fn is_removable(&self) -> bool {
        true
    }

    fn remove(&self) -> Answer<()> {
        let (cart, sku) = (Arc::clone(&self.cart), self.sku.clone());
        Answer::Later(Box::pin(async move {
            if ask(cart.carts.remove(&cart.of, &sku)).await? { Ok(()) } else { Err(Trouble::NotFound) }
        }))
    }
}

/// A thing in a cart that is open.
struct Open {
    cart: Arc<Kept>,
    sku: Sku,
    /// As it was when its beginning was read last: whoever reads it in parts reads parts of one text.
    content: Arc<Mutex<Bytes>>,
}

impl Open {
    fn of(cart: &Arc<Kept>, sku: &Sku, content: Bytes) -> Self {
        Self { cart: Arc::clone(cart), sku: sku.clone(), content: Arc::new(Mutex::new(content)) }
    }
}

impl OpenFile for Open {
    fn read(&self, offset: u64, count: usize) -> Answer<Bytes> {
        if offset > 0 {
            let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
            return Answer::Now(Ok(part_of(&content, offset, count)));
        }
        let (cart, sku, kept) = (Arc::clone(&self.cart), self.sku.clone(), Arc::clone(&self.content));
        Answer::Later(Box::pin(async move {
            let content = content(cart.quantity(&sku).await?);
            let part = part_of(&content, 0, count);
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = content;
            Ok(part)
        }))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Answer<u32> {
        if offset > 0 {
            return Trouble::BadOffset.into();
        }
        let Some(quantity) = quantity_in(data) else {
            return Trouble::Other(format!("a quantity is a whole number from 1 to {MOST_OF_ONE}").into()).into();
        };
        let (cart, sku, written) = (Arc::clone(&self.cart), self.sku.clone(), data.len());
        Answer::Later(Box::pin(async move {
            match ask(cart.carts.set(&cart.of, &sku, quantity)).await? {
                true => Ok(u32::try_from(written).unwrap_or(u32::MAX)),
                false => Err(Trouble::NotFound),
            }
        }))
    }
}

fn content(quantity: Quantity) -> Bytes {
    format!("{}\n", quantity.number()).into()
}

fn entry(sku: &Sku, quantity: Quantity) -> Entry {
    let qid = root::file(&[NAME, sku.as_str()]);
    let length = content(quantity).len() as u64;
    Entry { name: sku.as_str().to_owned().into(), qid, permissions: 0o600, length }
}

/// Decimal digits, and perhaps a newline.
fn quantity_in(data: &[u8]) -> Option<Quantity> {
    let digits = data.strip_suffix(b"\n").unwrap_or(data);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().and_then(Quantity::of)
}

/// Asks where the carts are kept. One that is silent is down.
async fn ask<T>(question: BoxFuture<'_, Result<T, PortError>>) -> Result<T, Trouble> {
    match tokio::time::timeout(ANSWER_WITHIN.duration(), question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a cart cannot be reached");
            Err(Trouble::TryLater)
        }
        Err(_) => {
            tracing::warn!("the carts did not answer in time");
            Err(Trouble::TryLater)
        }
    }
}
