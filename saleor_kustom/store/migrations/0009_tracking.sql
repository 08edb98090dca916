-- What became of a parcel's tracking, beside what its own capture has (tracking_sent).
-- Merchant input that can't be used, and why:
alter table capture add column tracking_notes text not null default '[]';
-- Entries that Kustom refused, each with the capture id that it was meant for:
alter table capture add column tracking_refused text not null default '[]';
-- Entries sent to captures whose units the parcel took over, by capture id:
alter table capture add column tracking_elsewhere text not null default '{}';
