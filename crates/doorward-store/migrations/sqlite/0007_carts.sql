-- Shopping carts: what lies in the cart of which subject, and how many of it.
CREATE TABLE carts (
    owner        TEXT    NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject_pk   TEXT    NOT NULL,
    sku          TEXT    NOT NULL,
    quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 9999),
    PRIMARY KEY (owner, subject_kind, subject_pk, sku)
) STRICT, WITHOUT ROWID;
