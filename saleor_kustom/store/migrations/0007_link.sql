-- What somebody asked to be linked, one row an order: the request, and the queue of what is still
-- to be done for it. Claims and leases are those of `capture`.
create table link (
    id {serial},
    api_url text not null,
    order_id text not null,              -- of a checkout: what its storefront was answered
    kustom_order_id text not null,       -- lower case
    how text not null,                   -- command | page | file | api | session
    who text not null,
    state text not null default 'asked',
    code text,                           -- why it is refused, or what it waits for
    detail text not null default '{}',
    order_number text,
    transaction_id text,                 -- the one that stands for it in Saleor
    creating_at {real},                  -- a transaction was asked for then; null: certainly not
    under_review integer not null default 0, -- Saleor waits to hear how Kustom's review ends

    due_at {real},                       -- next try, or the lease's end while running
    worker text,
    attempts integer not null default 0, -- the fence: only the last claim may write
    failures integer not null default 0, -- in a row, for the backoff

    asked_at {real} not null,
    updated_at {real} not null,
    unique (api_url, order_id)
);
create index link_due on link (due_at) where due_at is not null;
create index link_of_worker on link (worker) where worker is not null;
create index link_newest on link (api_url, id);

-- With what a checkout's server shows that it may link: the hash of a shop's token. The one before
-- is good until its time is over, so that a server can be given the new one meanwhile.
create table link_token (
    api_url text primary key,
    sha256 text not null,
    made_at {real} not null,
    previous_sha256 text,
    previous_until {real}
);

-- A checkout's row is what its storefront was answered for: `order_id` is then the checkout's id,
-- until the order that it becomes takes the row over. `transaction_id` is Saleor's transaction
-- that the answer was for.
alter table binding add column transaction_id text;
