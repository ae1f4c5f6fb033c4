//! The pages: texts of this program with a few places to fill in, and the files that they need.

use std::fmt::Write as _;

use axum::{body::Body, extract::Path, response::Response};
use doorward_auth::ports::{Quantity, Session, Sku};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};

use crate::goods::{GOODS, Good, euros};

const FRAME: &str = include_str!("../pages/frame.html");
/// Scripts, styles and sockets of this host, and nothing that runs in the page itself.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const FILES: [(&str, &str, &str); 10] = [
    ("shop.css", "text/css; charset=utf-8", include_str!("../pages/shop.css")),
    ("front.js", "text/javascript; charset=utf-8", include_str!("../pages/front.js")),
    ("cart.js", "text/javascript; charset=utf-8", include_str!("../pages/cart.js")),
    ("basket.js", "text/javascript; charset=utf-8", include_str!("../pages/basket.js")),
    ("art/lantern.svg", "image/svg+xml", include_str!("../pages/art/lantern.svg")),
    ("art/rope.svg", "image/svg+xml", include_str!("../pages/art/rope.svg")),
    ("art/kettle.svg", "image/svg+xml", include_str!("../pages/art/kettle.svg")),
    ("art/mug.svg", "image/svg+xml", include_str!("../pages/art/mug.svg")),
    ("art/blanket.svg", "image/svg+xml", include_str!("../pages/art/blanket.svg")),
    ("art/compass.svg", "image/svg+xml", include_str!("../pages/art/compass.svg")),
];

/// What is for sale.
pub(crate) fn front(login: Option<&Session>, has_left: bool) -> Response {
    let mut main = String::new();
    if has_left && login.is_none() {
        main += r#"<p class="note" role="status">You are logged out. Your cart is kept until you come back.</p>"#;
    }
    main += r#"<div class="hero"><h1>Things that outlast the weather</h1><p>Six of them. We have tried more, and these stayed.</p></div><ul class="goods">"#;
    for good in &GOODS {
        main += &card(good, login.is_some());
    }
    main += "</ul>";
    let script = if login.is_some() { "front.js" } else { "" };
    page(StatusCode::OK, "Shop", login, script, &main)
}

/// The cart: what there could be in it, for the script to show.
pub(crate) fn cart(login: &Session) -> Response {
    let mut rows = String::new();
    for Good { sku, name, price, .. } in &GOODS {
        let _infallible = write!(
            rows,
            r#"<li data-sku="{sku}" data-price="{price}" hidden><img src="/shop/art/{sku}.svg" alt="" width="64" height="64">
<div><h2>{name}</h2><p>{each} each</p></div>
<label><span>How many</span><input type="number" min="1" max="9999" inputmode="numeric" aria-label="Quantity of {name}"></label>
<output></output><button class="plain" aria-label="Take out {name}">Take out</button></li>"#,
            each = euros(u64::from(*price)),
        );
    }
    let main = format!(
        r#"<h1>Your cart</h1><p id="empty" hidden>There is nothing in it yet. <a href="/">Look around</a>.</p>
<ul class="rows">{rows}</ul>
<form id="order" method="post" action="/checkout" hidden><p>Together <strong id="total"></strong></p><button class="buy">Check out</button></form>"#
    );
    page(StatusCode::OK, "Cart", Some(login), "cart.js", &main)
}

/// What was ordered.
pub(crate) fn order(login: &Session, order: &[(Sku, Quantity)]) -> Response {
    if order.is_empty() {
        let main = r#"<h1>Nothing to order</h1><p>Your cart was empty, or another tab was faster. <a href="/">Look around</a>.</p>"#;
        return page(StatusCode::OK, "Nothing to order", Some(login), "", main);
    }
    let mut lines = String::new();
    let mut total = 0;
    for (sku, quantity) in order {
        // Anything with the name of a SKU fits into a cart; what is not for sale is not sold.
        let Some(good) = GOODS.iter().find(|good| good.sku == sku.as_str()) else { continue };
        let price = u64::from(good.price) * u64::from(quantity.number());
        total += price;
        let _infallible =
            write!(lines, "<li><span>{} × {}</span><span>{}</span></li>", quantity.number(), good.name, euros(price));
    }
    let main = format!(
        r#"<h1>Thank you, {who}</h1><p>Your order is on its way. (This is an example: nothing is, and nothing was charged.)</p>
<ul class="bill">{lines}<li><strong>Together</strong><strong>{total}</strong></li></ul><p><a class="buy" href="/">Back to the shop</a></p>"#,
        who = escaped(&login.username),
        total = euros(total),
    );
    page(StatusCode::OK, "Thank you", Some(login), "", &main)
}

/// Something to say instead of a page.
pub(crate) fn note(status: StatusCode, heading: &str, sentence: &str) -> Response {
    let main = format!("<h1>{}</h1><p>{}</p>", escaped(heading), escaped(sentence));
    page(status, heading, None, "", &main)
}

/// Sends the browser to another page of this host.
pub(crate) fn go(to: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

/// A file of the pages.
pub(crate) async fn file(Path(asked): Path<String>) -> Response {
    match FILES.iter().find(|(name, ..)| *name == asked) {
        Some((_, kind, content)) => answer(StatusCode::OK, kind, "public, max-age=300", (*content).to_owned()),
        None => note(StatusCode::NOT_FOUND, "There is nothing here", "Check the address."),
    }
}

fn card(Good { sku, name, about, price }: &Good, is_known: bool) -> String {
    let act = if is_known {
        format!(
            r#"<button class="buy" data-sku="{sku}" data-name="{name}" aria-label="Add to cart: {name}" disabled>Add to cart</button>"#
        )
    } else {
        r#"<a class="buy" href="/login?next=/">Log in to buy</a>"#.to_owned()
    };
    let price = euros(u64::from(*price));
    format!(
        r#"<li><img src="/shop/art/{sku}.svg" alt="" width="320" height="240"><h2>{name}</h2><p>{about}</p><div><strong>{price}</strong>{act}</div></li>"#
    )
}

fn page(status: StatusCode, title: &str, login: Option<&Session>, script: &str, main: &str) -> Response {
    let nav = match login {
        Some(login) => format!(
            r#"<a href="/account">{}</a><a class="basket" href="/cart">Cart <span id="count" hidden></span></a><form method="post" action="/logout"><button class="plain">Log out</button></form>"#,
            escaped(&login.username)
        ),
        None => r#"<a href="/login?next=/">Log in</a><a href="/register?next=/">Register</a>"#.to_owned(),
    };
    let script = match script {
        "" => String::new(),
        script => format!(r#"<script type="module" src="/shop/{script}"></script>"#),
    };
    // What is filled in last has no places of its own.
    let html = FRAME.replace("{title}", &escaped(title)).replace("{script}", &script).replace("{nav}", &nav);
    answer(status, "text/html; charset=utf-8", "no-store", html.replace("{main}", main))
}

fn answer(status: StatusCode, kind: &'static str, kept: &'static str, content: String) -> Response {
    let mut response = Response::new(Body::from(content));
    *response.status_mut() = status;
    for (name, value) in [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, kept),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn escaped(text: &str) -> String {
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    // A brace could make a place of the frame, which is filled in later.
    html.replace('\'', "&#39;").replace('{', "&#123;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_chose_to_be_called_is_no_markup() {
        assert_eq!(escaped(r#"<b title="a" & 'b'>"#), "&lt;b title=&quot;a&quot; &amp; &#39;b&#39;&gt;");
        assert_eq!(escaped("{main}"), "&#123;main}");
    }
}
