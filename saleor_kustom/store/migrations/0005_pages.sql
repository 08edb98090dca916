-- What the pages show without reading a shop's whole history.

-- Captured money by hour, so that a day is the merchant's own, wherever that is. Counted in the
-- transaction that stores the capture.
create table captured_hour (
    api_url text not null,
    hour bigint not null,                -- unix hours
    currency text not null,
    captures bigint not null,
    amount_minor bigint not null,
    primary key (api_url, hour, currency)
);
insert into captured_hour (api_url, hour, currency, captures, amount_minor)
    select api_url, {hour_of_captured_at}, coalesce(currency, ''), count(*),
        sum(coalesce(amount_minor, 0))
    from capture where captured_at is not null and state in ('captured', 'reported')
    group by 1, 2, 3;

-- What the units of a parcel cost, gift cards and fee aside: the money at risk while it is held.
alter table capture add column worth_minor bigint;

create index capture_created on capture (api_url, created_at);
create index capture_channel on capture (api_url, channel, id);
create index capture_tracking_problem on capture (api_url, id) where tracking_problem is not null;
