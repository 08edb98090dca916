-- The first schema. {tokens} are the few words in which SQLite and PostgreSQL differ.
-- Times are unix seconds, amounts integer minor units, JSON is text, flags are 0 or 1.

create table shop (
    api_url text primary key,
    app_id text not null,
    token text not null,                 -- encrypted
    saleor_version text not null default '',
    mode text,                           -- observe | capture | null: by the account's environment
    jwks text not null,
    jwks_fetched_at {real} not null,
    installed_at {real} not null
);

-- Every installation there ever was: a re-install replaces the shop's row and keeps history.
create table installation (
    api_url text not null,
    app_id text not null,
    installed_at {real} not null,
    ended_at {real},
    primary key (api_url, app_id)
);

-- Older credentials are kept for the orders that are bound to them (domain rule 4).
create table account (
    api_url text not null,
    environment text not null,
    merchant_id text not null,
    username text not null,
    password text not null,              -- encrypted
    kept_at {real} not null,
    primary key (api_url, environment, merchant_id)
);

create table channel_account (
    api_url text not null,
    channel text not null,               -- '' is the shop's default
    environment text not null,
    merchant_id text not null,
    primary key (api_url, channel),
    foreign key (api_url, environment, merchant_id)
        references account (api_url, environment, merchant_id)
);

-- What is paused, by whom and why (pauses.py spells the name).
create table pause (
    name text primary key,
    scope text not null,                 -- shop | channel | order | account
    api_url text not null,               -- '': an account, for every shop
    key text not null,
    who text not null,
    why text not null,
    at {real} not null
);

create table delivery (
    id text primary key,
    api_url text not null,
    event text not null,
    body_sha256 text not null,
    body {blob} not null,                -- as signed
    received_at {real} not null,
    order_id text,
    fulfillment_id text,
    problem text,                        -- why its contents were not understood
    unique (api_url, event, body_sha256)
);
create index delivery_not_understood on delivery (api_url, received_at) where problem is not null;
create index delivery_order on delivery (api_url, order_id);

-- Which Kustom order an order belongs to, frozen at the first plan (domain rule 4).
create table binding (
    api_url text not null,
    order_id text not null,
    environment text not null,
    merchant_id text not null,
    kustom_order_id text not null,
    how text not null,
    bound_at {real} not null,
    primary key (api_url, order_id),
    unique (environment, merchant_id, kustom_order_id)
);
create index binding_found on binding (kustom_order_id);

-- The ledger and the queue: one row a fulfillment.
create table capture (
    id {serial},
    api_url text not null,
    order_id text not null,
    fulfillment_id text not null,
    fulfillment_created text not null,
    order_number text,
    fulfillment_number integer,
    channel text,
    currency text,
    line text not null,                  -- captures of one line run one after another
    account text not null default '',    -- environment/merchant id once bound

    state text not null default 'received',
    held text,                           -- why a person must look
    held_detail text not null default '{}',
    waiting text,                        -- why it waits, or why there is nothing
    waiting_detail text not null default '{}',
    canceled integer not null default 0, -- Saleor cancelled the fulfillment

    due_at {real},                       -- next try, or the lease's end while running
    worker text,                         -- who runs it
    attempts integer not null default 0, -- the fence: only the last claim may write
    failures integer not null default 0, -- in a row, for the backoff
    wakes integer not null default 0,    -- news; news during a run makes it due after it

    plan text,
    idempotency_key text,
    amount_minor bigint,
    sent_first_at {real},
    sent_last_at {real},
    capture_id text,
    captured_at {real},
    reported_at {real},
    report_problem text,

    without_tracking integer not null default 0,
    tracking_sent text not null default '[]',
    tracking_pending text,
    tracking_problem text,

    created_at {real} not null,
    updated_at {real} not null,

    unique (api_url, order_id, fulfillment_id, fulfillment_created),
    check (state <> 'sending' or (plan is not null and idempotency_key is not null)),
    check (state not in ('captured', 'reported') or (plan is not null and capture_id is not null))
);
-- One run at a time on a line, whatever a claim believes (durable-engine, 3.1).
create unique index capture_one_running on capture (line) where worker is not null;
-- A capture of Kustom's belongs to one parcel.
create unique index capture_once on capture (account, capture_id)
    where state in ('captured', 'reported');
create index capture_due on capture (due_at) where due_at is not null;
create index capture_line on capture (line, id) where due_at is not null;
create index capture_of_worker on capture (worker) where worker is not null;
create index capture_namesake on capture (api_url, fulfillment_id);
create index capture_newest on capture (api_url, id);
create index capture_state on capture (api_url, state, id);
create index capture_held on capture (api_url, held) where held is not null;
create index capture_number on capture (api_url, order_number);
create index capture_found on capture (api_url, capture_id) where capture_id is not null;
-- The queue's plans need fresh statistics: a queue is mostly done rows and a few open ones.
{postgresql} alter table capture set (autovacuum_analyze_scale_factor = 0.02);

-- What happened, in order; never changed.
create table history (
    id {serial},
    api_url text not null,
    capture_id bigint references capture (id),  -- null: of the shop as a whole
    at {real} not null,
    what text not null,
    detail text not null
);
create index history_capture on history (capture_id, id);
create index history_shop on history (api_url, id) where capture_id is null;

-- The shared rate: the slot that was given last, and the next one.
create table rate (
    account text primary key,
    slot {real} not null,
    next_at {real} not null
);

-- Cursors and other small things, and when they were last written.
create table meta (
    name text primary key,
    value text not null,
    at {real} not null
);
