-- Raw deliveries are kept for a time; what was stripped is in this index no more.
create index delivery_kept on delivery (received_at) where length(body) > 0;
