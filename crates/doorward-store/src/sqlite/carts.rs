use doorward_auth::{
    BoxFuture,
    ports::{Added, CART_ENTRIES, CartOf, Carts, PortError, Quantity, Sku},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, unreadable};

const PORT: &str = "carts";

impl Carts for Store {
    fn add<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<Added, PortError>> {
        let (cart, sku) = (cart.clone(), sku.clone());
        self.writes(PORT, None, move |connection| add(connection, &cart, &sku))
    }

    fn find<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<Option<Quantity>, PortError>> {
        let (cart, sku) = (cart.clone(), sku.clone());
        self.reads(PORT, move |connection| find(connection, &cart, &sku))
    }

    fn set<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku, quantity: Quantity) -> BoxFuture<'a, Result<bool, PortError>> {
        let (cart, sku) = (cart.clone(), sku.clone());
        self.writes(PORT, None, move |connection| {
            connection
                .prepare_cached(
                    "UPDATE carts SET quantity = ?5
                     WHERE owner = ?1 AND subject_kind = ?2 AND subject_pk = ?3 AND sku = ?4",
                )?
                .execute(params![cart.owner.as_str(), cart.kind, cart.pk, sku.as_str(), quantity.number()])
                .map(|rows| rows == 1)
        })
    }

    fn remove<'a>(&'a self, cart: &'a CartOf, sku: &'a Sku) -> BoxFuture<'a, Result<bool, PortError>> {
        let (cart, sku) = (cart.clone(), sku.clone());
        self.writes(PORT, None, move |connection| {
            connection
                .prepare_cached(
                    "DELETE FROM carts WHERE owner = ?1 AND subject_kind = ?2 AND subject_pk = ?3 AND sku = ?4",
                )?
                .execute(params![cart.owner.as_str(), cart.kind, cart.pk, sku.as_str()])
                .map(|rows| rows == 1)
        })
    }

    fn list<'a>(&'a self, cart: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>> {
        let cart = cart.clone();
        self.reads(PORT, move |connection| {
            connection
                .prepare_cached(
                    "SELECT sku, quantity FROM carts
                     WHERE owner = ?1 AND subject_kind = ?2 AND subject_pk = ?3 ORDER BY sku",
                )?
                .query_map(params![cart.owner.as_str(), cart.kind, cart.pk], held_at)?
                .collect()
        })
    }

    fn empty<'a>(&'a self, cart: &'a CartOf) -> BoxFuture<'a, Result<Vec<(Sku, Quantity)>, PortError>> {
        let cart = cart.clone();
        self.writes(PORT, None, move |connection| {
            let mut held: Vec<(Sku, Quantity)> = connection
                .prepare_cached(
                    "DELETE FROM carts WHERE owner = ?1 AND subject_kind = ?2 AND subject_pk = ?3
                     RETURNING sku, quantity",
                )?
                .query_map(params![cart.owner.as_str(), cart.kind, cart.pk], held_at)?
                .collect::<Result<_, _>>()?;
            // What is returned has no order of its own.
            held.sort_unstable();
            Ok(held)
        })
    }
}

/// The writer does one thing after the other, so nothing can come between the look and the deed.
fn add(connection: &Connection, cart: &CartOf, sku: &Sku) -> rusqlite::Result<Added> {
    if find(connection, cart, sku)?.is_some() {
        return Ok(Added::WasThere);
    }
    let rows = connection
        .prepare_cached(
            "INSERT INTO carts (owner, subject_kind, subject_pk, sku, quantity)
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE
             (SELECT count(*) FROM carts WHERE owner = ?1 AND subject_kind = ?2 AND subject_pk = ?3) < ?6",
        )?
        .execute(params![
            cart.owner.as_str(),
            cart.kind,
            cart.pk,
            sku.as_str(),
            Quantity::ONE.number(),
            i64::try_from(CART_ENTRIES).unwrap_or(i64::MAX),
        ])?;
    Ok(if rows == 1 { Added::New } else { Added::Full })
}

fn find(connection: &Connection, cart: &CartOf, sku: &Sku) -> rusqlite::Result<Option<Quantity>> {
    connection
        .prepare_cached(
            "SELECT quantity FROM carts WHERE owner = ?1 AND subject_kind = ?2 AND subject_pk = ?3 AND sku = ?4",
        )?
        .query_row(params![cart.owner.as_str(), cart.kind, cart.pk, sku.as_str()], quantity_at)
        .optional()
}

fn held_at(row: &Row<'_>) -> rusqlite::Result<(Sku, Quantity)> {
    let sku: String = row.get("sku")?;
    Ok((sku.parse().map_err(unreadable)?, quantity_at(row)?))
}

fn quantity_at(row: &Row<'_>) -> rusqlite::Result<Quantity> {
    let number: u16 = row.get("quantity")?;
    Quantity::of(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number.into()))
}
