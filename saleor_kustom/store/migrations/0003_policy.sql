-- What merchants chose (capture/policy.py), per channel.
create table policy (
    api_url text not null,
    channel text not null,               -- '' is the shop's default
    value text not null,                 -- JSON: what was chosen and nothing more
    who text not null,
    at {real} not null,
    primary key (api_url, channel)
);
