-- The trace that Saleor began (W3C traceparent), so that logs and our calls to Saleor continue it.
alter table delivery add column traceparent text;
alter table capture add column traceparent text;
-- Money that is authorized and not captured, summed up at each scrape of the metrics.
create index open_authorization_left on open_authorization (expires_at) where remaining_minor > 0;
