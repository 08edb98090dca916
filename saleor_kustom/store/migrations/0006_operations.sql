-- Charges, refunds, cancellations and releases are rows of the same ledger and queue as the
-- parcels' captures: claimed, leased, fenced, held, waited for and told of in the same way, one
-- at a time on the Kustom order's line.
--
-- Of such a row `fulfillment_id` and `fulfillment_created` hold what makes the operation one, so
-- that the unique constraint lets it be made once (capture/operation.py has the table): the
-- stored delivery's id and 'charge', 'refund' or 'cancel' for a request of Saleor's button; the
-- parcel's fulfillment id and 'refund' for the refund of a cancelled parcel; 'order_cancelled'
-- and 'cancel'; 'close' or 'fee' and a counter. `capture_id` holds the refund's id, or, where
-- Kustom gives none, the operation's own.
alter table capture add column kind text not null default 'fulfillment'
    check (kind in ('fulfillment', 'charge', 'refund', 'cancel', 'release'));
alter table capture add column request text;         -- JSON: what was asked, by whom and why
-- What a request of Saleor was answered with, once and for all: 'result', with how it ended, or
-- 'later', with the operation's id. Whoever comes first decides, and the other one follows.
alter table capture add column answer text check (answer in ('result', 'later'));
alter table capture add column answered_at {real};
alter table capture add column standing text;        -- JSON: the Kustom order after this row
alter table capture add column canceled_at {real};   -- when a captured parcel was seen cancelled
