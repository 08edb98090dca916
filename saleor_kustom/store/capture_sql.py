"""Every statement of the queue, named and described. The same for both databases.

A capture is open while `due_at` is set: the next try, or the end of the lease while `worker` is
set. The partial indexes of migrations/0001 are spelled as the conditions here.
"""

from saleor_kustom.store.capture_row import RESUMED

#: Only the run that holds the lease may write: each claim counts `attempts`.
FENCE = "id = :id and attempts = :attempts and worker = :worker"

#: A pause of the shop, channel, order or account keeps its captures from being claimed; but what
#: is captured is still told to Saleor, for that money has moved.
_PAUSED = """c.state <> 'captured' and exists (select 1 from pause p where p.name in (
        'shop ' || c.api_url,
        'channel ' || c.api_url || ' ' || c.channel,
        'order ' || c.api_url || ' ' || c.order_id,
        'account ' || c.account,
        'account ' || c.api_url || ' ' || c.account))"""

#: Kustom's host is away. What is not bound yet is known by what it has been waiting for.
_SHUT = """(c.account like :shut
        or :shut <> 'none' and c.account = '' and c.waiting = 'kustom_away')"""

#: The shop's Saleor is away. What may have been sent is looked up at Kustom all the same. The
#: pattern is the row's own address, so that no shop's can reach another's rows.
_SILENT = "c.state <> 'sending' and :silent like '% ' || c.api_url || ' %'"

# The head of a line: who runs, then what is not held, then money before reports and tracking,
# then the oldest. Running first keeps the unique index from failing whole claims, since ids
# become visible out of commit order (durable-engine, 3.1). As a scalar subquery it is fast
# without statistics (3.2).
CLAIM = f"""with head as (
    select c.id from capture c
    where c.due_at is not null and c.due_at <= :now
      and not (c.state <> 'captured' and {_SHUT})
      and not ({_SILENT})
      and not ({_PAUSED})
      and c.id = (
        select e.id from capture e where e.line = c.line and e.due_at is not null
        order by (e.worker is not null) desc, (e.held is not null),
            (e.state in ('received', 'planned', 'sending')) desc, e.id
        limit 1)
    order by c.due_at limit :limit {{lock}})
update capture set worker = :worker, due_at = :now + :lease, attempts = attempts + 1
where id in (select id from head) returning *"""

RENEW = f"update capture set due_at = :now + :lease where {FENCE} returning id"

#: The line of history goes first, under the same fence, so that the update's row is returned.
HISTORY_FENCED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, :history_what, :history_detail from capture where {FENCE}"""

#: Once for each that brings money in: it is not captured yet when this runs.
COUNT_CAPTURED = f"""insert into captured_hour (api_url, hour, currency, captures, amount_minor)
    select api_url, :captured_hour, coalesce(cast(:captured_currency as text), currency, ''), 1,
        coalesce(cast(:captured_minor as bigint), amount_minor, 0)
    from capture where {FENCE} and state not in ('captured', 'reported')
        and kind in ('fulfillment', 'charge')
    on conflict (api_url, hour, currency) do update set captures = captured_hour.captures + 1,
        amount_minor = captured_hour.amount_minor + excluded.amount_minor"""

KEEP_GOING = f"""update capture set due_at = :now + :lease, updated_at = :now{{sets}}
    where {FENCE} returning *"""

# News that came during the run makes the capture due at once; the run may not have seen it.
# The cast tells PostgreSQL the type of a parameter that may be null.
LET_GO = f"""update capture set worker = null, updated_at = :now,
    due_at = case when wakes <> :wakes_seen then :now
                  else :now + cast(:due_in as double precision) end{{sets}}
    where {FENCE} returning *"""

RELEASE_ALL = """update capture set worker = null, due_at = :now
    where worker = :worker returning id"""

#: At the start of SQLite's only worker: whatever ran has died.
RELEASE_DEAD = """update capture set worker = null, due_at = :now
    where worker is not null returning id"""

#: News: due now, or, while a run has the capture, after that run.
_WAKE = """update capture set wakes = wakes + 1, updated_at = :now,
    due_at = case when worker is null then :now else due_at end"""
WAKE_ORDER = f"""{_WAKE} where api_url = :api_url and order_id = :order_id returning id"""
WAKE_HELD = f"""{_WAKE} where api_url = :api_url and held = :reason returning id"""

#: Units became free, or were taken over: what the order holds for that is due again.
WAKE_SIBLINGS = f"""{_WAKE} where api_url = :api_url and order_id = :order_id and id <> :id
    and (held = :reason or :reason = 'all')"""

#: A re-install brought a new token; a run under way may still have met the old one.
WAKE_SHOP = f"""{_WAKE} where api_url = :api_url and (worker is not null
    or waiting in ('shop_removed', 'token_refused'))"""

#: New credentials, or such that tested well: what waited for them is due now.
WAKE_PAUSED = f"""{_WAKE} where api_url = :api_url
    and (waiting in ('unauthorized', 'paused') or held = 'no_credentials')"""

_IDENTITY = """api_url = :api_url and order_id = :order_id and fulfillment_id = :fulfillment_id
      and fulfillment_created = :created"""

#: The news of a delivery that is new: it makes its capture, or wakes the one that is there. A
#: tombstone stays for ever (domain rule 20). One statement, whose row is found by the unique key
#: whatever statistics there are: an update by itself read a shop's whole history on PostgreSQL
#: until the table was analyzed.
TAKE_IN = """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
        account, canceled, traceparent, due_at, created_at, updated_at)
    select d.api_url, d.order_id, d.fulfillment_id, :created,
        coalesce(b.environment || '/' || b.merchant_id || '/' || b.kustom_order_id, :unbound_line),
        coalesce(b.environment || '/' || b.merchant_id, ''),
        :canceled, d.traceparent, :now, :now, :now
    from delivery d left join binding b on b.api_url = d.api_url and b.order_id = d.order_id
    where d.id = :delivery
    on conflict (api_url, order_id, fulfillment_id, fulfillment_created) do update set
        wakes = capture.wakes + 1, updated_at = excluded.updated_at,
        due_at = case when capture.worker is null then excluded.due_at else capture.due_at end,
        canceled = case when excluded.canceled = 1 then 1 else capture.canceled end,
        traceparent = coalesce(excluded.traceparent, capture.traceparent)
    returning 1 as new"""

#: The same for a fulfillment that was found by reading Saleor.
WAKE_FOUND = f"{_WAKE} where {_IDENTITY}"
MAKE_FOUND = """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
        account, due_at, created_at, updated_at)
    select f.api_url, f.order_id, f.fulfillment_id, f.created,
        coalesce(b.environment || '/' || b.merchant_id || '/' || b.kustom_order_id, :unbound_line),
        coalesce(b.environment || '/' || b.merchant_id, ''), :now, :now, :now
    from (select cast(:api_url as text) as api_url, cast(:order_id as text) as order_id,
        cast(:fulfillment_id as text) as fulfillment_id, cast(:created as text) as created) f
    left join binding b on b.api_url = f.api_url and b.order_id = f.order_id
    where true
    on conflict (api_url, order_id, fulfillment_id, fulfillment_created) do nothing
    returning id"""

BIND = """insert into binding
        (api_url, order_id, environment, merchant_id, kustom_order_id, how, bound_at)
    values (:api_url, :order_id, :environment, :merchant_id, :kustom_order_id, :how, :now)
    on conflict do nothing"""
IS_BOUND = """select 1 as bound from binding
    where api_url = :api_url and order_id = :order_id and environment = :environment
      and merchant_id = :merchant_id and kustom_order_id = :kustom_order_id"""
MOVE_LINE = f"""update capture set line = :line, account = :account
    where api_url = :api_url and order_id = :order_id and exists ({IS_BOUND})"""

# Without `order by`, for which SQLite would rather read a whole shop in that order.
OF_ORDER = "select * from capture where api_url = :api_url and order_id = :order_id"
NAMESAKES = """select * from capture
    where api_url = :api_url and fulfillment_id = :fulfillment_id and id < :id
    and kind = 'fulfillment'"""
BINDING = "select * from binding where api_url = :api_url and order_id = :order_id"
GET = "select * from capture where api_url = :api_url and id = :id"

#: Each arm has an index of its own; as one `or` the whole table would be read. SQLite joins a
#: `cross join` in the order that it is written in.
SEARCH = """id in (
    select id from capture where api_url = :api_url and order_number = :search
    union select id from capture where api_url = :api_url and order_id = :search
    union select id from capture where api_url = :api_url and fulfillment_id = :search
    union select id from capture where api_url = :api_url and capture_id = :search
    union select c.id from binding b cross join capture c
        where b.kustom_order_id = :search and b.api_url = :api_url
          and c.api_url = b.api_url and c.order_id = b.order_id)"""

_HOLDABLE = "api_url = :api_url and id = :id and held is null and worker is null"
HOLD_NOTED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'held', :detail from capture where {_HOLDABLE}"""
HOLD = f"""update capture set held = :reason, held_detail = :detail, due_at = null,
    updated_at = :now where {_HOLDABLE} returning id"""
ORDERS_SETTLED_BETWEEN = """select distinct order_id from capture
    where api_url = :api_url and state in ('captured', 'reported', 'nothing')
    and coalesce(captured_at, updated_at) > :since
    and coalesce(captured_at, updated_at) <= :until
    order by order_id"""
ORDERS_PARKED = """select distinct order_id from capture
    where api_url = :api_url and state = 'received' and due_at is null and held is null
    order by order_id"""
ORDERS_HELD = """select distinct order_id from capture
    where api_url = :api_url and held > '' and account <> '' order by order_id"""
BUSY = """select 1 as busy from capture
    where worker is not null or due_at <= :now + :within limit 1"""
#: As a range, so that SQLite prefers the index of the few that are held.
HELD = "held > ''"

RESUMED_NOTED = """insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'resumed', :detail from capture
    where api_url = :api_url and id = :id and held is not null"""
#: A person who retries after a cancellation that Saleor does not confirm says that there was none.
RESUME = f"""{_WAKE}, held = null,
    canceled = case when held = 'cancellation_unconfirmed' then 0 else canceled end,
    held_detail = '{{}}', waiting = '{RESUMED}', failures = 0
    where api_url = :api_url and id = :id and held is not null returning id"""

#: A person would not wait for the next try. What runs or is held is not touched.
_HASTENABLE = """api_url = :api_url and id = :id and held is null and worker is null
    and state in ('received', 'planned', 'sending')"""
HASTENED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'hastened', :detail from capture where {_HASTENABLE}"""
HASTEN = f"{_WAKE}, waiting = '{RESUMED}', failures = 0 where {_HASTENABLE} returning id"

HELD_AFTER = """select id from capture where api_url = :api_url and held = :reason
    and id > :after and id <= :until order by id limit :limit"""
