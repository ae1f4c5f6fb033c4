use doorward_types::{OwnerId, Subject};

use super::PortError;
use crate::BoxFuture;

/// How many different things one cart can hold.
pub const CART_ENTRIES: usize = 200;

/// The largest quantity of one thing; the smallest is 1.
pub const MOST_OF_ONE: u16 = 9999;

/// The name of what lies in a cart: 1 to 64 bytes of letters, digits, `-`, `_` and `.`, of which the first is a letter or a digit.
/// So it is a name in every tree, and in none a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sku(Box<str>);

/// A text that cannot be a [`Sku`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SKU is 1 to 64 letters, digits, `-`, `_` and `.`, and begins with a letter or a digit")]
pub struct UnfitSku;

impl Sku {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Sku {
    type Err = UnfitSku;

    fn from_str(text: &str) -> Result<Self, UnfitSku> {
        let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if begins && text.len() <= 64 && text.bytes().all(may_stand) { Ok(Self(text.into())) } else { Err(UnfitSku) }
    }
}

/// How many of one thing: 1 to [`MOST_OF_ONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(u16);

impl Quantity {
    /// One.
    pub const ONE: Self = Self(1);

    /// So many; `None` where that is nothing, or too many.
    pub const fn of(number: u16) -> Option<Self> {
        if number >= 1 && number <= MOST_OF_ONE { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// Whose cart it is: a subject's, at the sites of one owner. What a subject is called counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CartOf {
    /// The owner of the site.
    pub owner: OwnerId,
    /// The kind of the subject.
    pub kind: String,
    /// The primary key of the subject.
    pub pk: String,
}

impl CartOf {
    /// The cart of a subject.
    pub fn subject(owner: &OwnerId, subject: &Subject) -> Self {
        Self { owner: owner.clone(), kind: subject.kind.clone(), pk: subject.pk.clone() }
    }
}

/// What became of something that was to be put into a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there, once.
    New,
    /// It was there before; its quantity is what it was.
    WasThere,
    /// The cart holds [`CART_ENTRIES`] things already.
    Full,
}

/// Shopping carts.
pub trait Carts: Send + Sync {
    /// Puts one of something into a cart that has none of it.
    fn add<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<Added, PortError>>;

    /// How many of something are in a cart; `None` where there is none.
    fn find<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<Option<Quantity>, PortError>>;

    /// Sets how many of something are in a cart. Answers `false` where there is none, and leaves it so.
    fn set<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku, quantity: Quantity) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Takes something out of a cart. Answers `false` where there is none.
    fn remove<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<bool, PortError>>;

    /// Everything in a cart, by its name.
    fn list<'a>(&'a self, cart: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>>;

    /// Takes everything out of a cart and gives it, by its name: of several at once each thing is given to one, so that nothing is
    /// ordered twice.
    fn empty<'a>(&'a self, cart: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_a_name_and_no_path() {
        for good in ["7", "sku-7", "A_b.C-9", &"s".repeat(64)] {
            assert_eq!(good.parse::<Sku>().map(|sku| sku.as_str().to_owned()), Ok(good.to_owned()));
        }
        for bad in ["", ".", "..", "-7", "_", "a/b", "a b", "a\0", "a\n", "ä", "a*", &"s".repeat(65)] {
            assert_eq!(bad.parse::<Sku>(), Err(UnfitSku), "{bad:?}");
        }
    }

    #[test]
    fn a_quantity_is_one_at_the_least_and_9999_at_the_most() {
        assert_eq!((Quantity::of(0), Quantity::of(10_000)), (None, None));
        assert_eq!([1, 9999].map(|number| Quantity::of(number).map(Quantity::number)), [Some(1), Some(9999)]);
    }
}
