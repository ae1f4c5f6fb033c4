use std::{
    collections::{BTreeMap, btree_map::Entry},
    future::ready,
    sync::Mutex,
};

use super::lock;
use crate::{
    BoxFuture,
    ports::{Added, CART_ENTRIES, CartOf, Carts, PortError, Quantity, Sku},
};

/// [`Carts`] in memory.
#[derive(Debug, Default)]
pub struct MemoryCarts(Mutex<BTreeMap<CartOf, BTreeMap<Sku, Quantity>>>);

impl MemoryCarts {
    /// Without anything in any cart.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Carts for MemoryCarts {
    fn add<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<Added, PortError>> {
        Box::pin(async move {
            let mut carts = lock(&self.0);
            let cart = carts.entry(cart.clone()).or_default();
            let is_full = cart.len() >= CART_ENTRIES;
            Ok(match cart.entry(sku.clone()) {
                Entry::Occupied(_) => Added::WasThere,
                Entry::Vacant(_) if is_full => Added::Full,
                Entry::Vacant(place) => {
                    place.insert(Quantity::ONE);
                    Added::New
                }
            })
        })
    }

    fn find<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<Option<Quantity>, PortError>> {
        let found = lock(&self.0).get(cart).and_then(|cart| cart.get(sku).copied());
        Box::pin(ready(Ok(found)))
    }

    fn set<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku, quantity: Quantity) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move {
            let mut carts = lock(&self.0);
            let held = carts.get_mut(cart).and_then(|cart| cart.get_mut(sku));
            Ok(held.map(|held| *held = quantity).is_some())
        })
    }

    fn remove<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<bool, PortError>> {
        Box::pin(async move { Ok(lock(&self.0).get_mut(cart).and_then(|cart| cart.remove(sku)).is_some()) })
    }

    fn list<'a>(&'a self, cart: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>> {
        let held = lock(&self.0).get(cart).map(|cart| cart.iter().map(|(sku, held)| (sku.clone(), *held)).collect());
        Box::pin(ready(Ok(held.unwrap_or_default())))
    }

    fn empty<'a>(&'a self, cart: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>> {
        Box::pin(async move { Ok(lock(&self.0).remove(cart).unwrap_or_default().into_iter().collect()) })
    }
}
