-- What is authorized at Kustom and not captured yet, as the nightly look saw it last: so that a
-- merchant hears of it days before it expires. Not the ledger; nothing is captured by it.
create table open_authorization (
    api_url text not null,
    order_id text not null,
    order_number text not null,
    kustom_order_id text not null,
    currency text not null,
    remaining_minor bigint not null,     -- 0: nothing more to capture
    expires_at {real} not null,          -- unix seconds
    problem text,                        -- why its time could not be extended
    seen_at {real} not null,
    primary key (api_url, order_id)
);
create index open_authorization_expires on open_authorization (api_url, expires_at);
