-- What happened at Kustom that this app did not do (capture/outside.py).
create table outside (
    api_url text not null,
    order_id text not null,
    kind text not null,                  -- capture | refund | cancel | release | expiry
                                         -- | authorization | dispute
    kustom_id text not null,             -- Kustom's id, or one that follows from the order
    amount_minor bigint,                 -- null: not known
    currency text not null,
    happened_at {real},                  -- as Kustom says
    seen_at {real} not null,
    reported_at {real},                  -- when Saleor took it; of a dispute: the note
    problem text,                        -- why Saleor was not told
    number integer not null,             -- in the order in which it was seen
    primary key (api_url, order_id, kind, kustom_id)
);
create index outside_newest on outside (api_url, seen_at);

-- The secret part of the URL that Kustom's own webhooks come to; only its hash is kept.
create table kustom_webhook (
    api_url text primary key,
    secret_sha256 text not null unique,
    who text not null,
    at {real} not null
);

-- Orders that Kustom hinted at: one row an order, however many hints.
create table hint (
    api_url text not null,
    order_id text not null,
    named text not null,                 -- the capture or refund that it was about; '': several
    due_at {real},                       -- the next look, or the lease's end while running
    running integer not null default 0,
    again integer not null default 0,    -- a hint came during the look
    looks integer not null default 0,    -- the fence, as attempts in capture
    failures integer not null default 0,
    looked_at {real},
    primary key (api_url, order_id)
);
create index hint_due on hint (due_at) where due_at is not null;
