use doorward_auth::{
    layers::{RungConfig, conversation::challenge::Variant},
    settings::Span,
};

use super::{
    document::{Document, KeyPath},
    limits::Limits,
};

/// Gives every layer that sets no `timeout` itself the time that `[limits]` has for a machine or for a person.
pub(super) fn fill(document: &Document<'_>, at: &KeyPath, ladder: &mut [RungConfig], limits: &Limits) {
    for (place, rung) in ladder.iter_mut().enumerate() {
        let at = at.index(place).key(rung.name());
        let unset = document.value(&at.key("timeout")).is_none();
        let set = |timeout: &mut Span, limit: Span| {
            if unset {
                *timeout = limit;
            }
        };
        match rung {
            RungConfig::Ticket(layer) => set(&mut layer.timeout, limits.step_machine),
            RungConfig::Jwt(layer) => set(&mut layer.timeout, limits.step_machine),
            RungConfig::AppKey(layer) => set(&mut layer.timeout, limits.step_machine),
            RungConfig::Authenticator(layer) => set(&mut layer.timeout, limits.step_machine),
            RungConfig::Ident(layer) => set(&mut layer.timeout, limits.step_person),
            RungConfig::Password(layer) => set(&mut layer.timeout, limits.step_person),
            RungConfig::Totp(layer) => set(&mut layer.timeout, limits.step_person),
            RungConfig::Challenge(layer) if layer.variant == Variant::Words && unset => {
                layer.timeout = Some(limits.step_person);
            }
            RungConfig::Offer(layer) => {
                set(&mut layer.timeout, limits.step_machine);
                fill(document, &at.key("of"), &mut layer.of, limits);
            }
            RungConfig::Any(branches) => {
                for (place, branch) in branches.iter_mut().enumerate() {
                    fill(document, &at.index(place), branch, limits);
                }
            }
            RungConfig::Optional(layers) => fill(document, &at, layers, limits),
            // A bearer token is there already, and the nonce of a proof lives for a time of its own.
            // What is waited for elsewhere takes the time that it takes.
            RungConfig::AssertLogin(_) | RungConfig::KeyEntry(_) => {}
            RungConfig::Bearer(_) | RungConfig::Session(_) | RungConfig::Challenge(_) => {}
        }
    }
}
