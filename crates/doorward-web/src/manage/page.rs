use serde_json::{Value, json};

use super::{Fields, Problem};

/// How many items a page has where nobody says, and at the most.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// How much of a list is shown: `limit` items, from the one after `after`, which is the `next` of the page before.
pub(super) struct Window {
    pub(super) limit: usize,
    pub(super) after: Option<String>,
}

impl Window {
    pub(super) fn read(query: &mut Fields) -> Result<Self, Problem> {
        let expected = format!("a number from 1 to {MOST}");
        let limit = query.read::<usize>("limit", &expected)?.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Problem::of_field("limit", expected));
        }
        Ok(Self { limit, after: query.text("after")? })
    }

    /// What `after` says.
    pub(super) fn after<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let expected = || Problem::of_field("after", "the `next` of a page of the same list");
        self.after.as_deref().map(|after| read(after).ok_or_else(expected)).transpose()
    }

    /// How many to ask for: one more than is shown tells that there are more.
    pub(super) fn and_one(&self) -> usize {
        self.limit + 1
    }

    /// The page of a list that was asked for [`and_one`](Self::and_one) more; `name` says by what an item is found again.
    pub(super) fn page<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> String, show: impl Fn(&T) -> Value) -> Value {
        let is_last = items.len() <= self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| !is_last).map(name);
        json!({ "items": items.iter().map(show).collect::<Vec<_>>(), "next": next })
    }
}
