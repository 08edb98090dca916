"""Every statement about links and about who has which Kustom order, named and described."""

from saleor_kustom.store.capture_sql import IS_BOUND

#: Only the run that holds the lease may write: each claim counts `attempts`.
FENCE = "id = :id and attempts = :attempts and worker = :worker"

#: Asking again. What is bound or linked is never asked for another Kustom order; what is asked
#: for one is taken from a run under way, since that may be about to bind the wrong one.
_OTHER = "link.kustom_order_id <> excluded.kustom_order_id"
ASK = f"""insert into link (api_url, order_id, kustom_order_id, how, who, state, transaction_id,
        under_review, due_at, asked_at, updated_at)
    values (:api_url, :order_id, :kustom_order_id, :how, :who, :state, :transaction_id,
        :under_review, :now + :due_in, :now, :now)
    on conflict (api_url, order_id) do update set
        state = case when link.state = 'bound' then link.state else excluded.state end,
        attempts = case when {_OTHER} then link.attempts + 1 else link.attempts end,
        worker = case when {_OTHER} then null else link.worker end,
        due_at = case when link.worker is null or {_OTHER} then excluded.due_at
                      else link.due_at end,
        creating_at = case when {_OTHER} then null else link.creating_at end,
        transaction_id = excluded.transaction_id, under_review = excluded.under_review,
        kustom_order_id = excluded.kustom_order_id, how = excluded.how, who = excluded.who,
        code = null, detail = '{{}}', failures = 0, asked_at = :now, updated_at = :now
    where link.state <> 'linked' and (link.state <> 'bound' or not ({_OTHER}))"""
GET = "select * from link where api_url = :api_url and order_id = :order_id"

CLAIM = """update link set worker = :worker, due_at = :now + :lease, attempts = attempts + 1
    where id in (select id from link where due_at is not null and due_at <= :now
        order by due_at limit :limit {lock}) returning *"""
#: Somebody waits for the answer: take it now, unless it runs.
CLAIM_ONE = """update link set worker = :worker, due_at = :now + :lease, attempts = attempts + 1
    where id = :id and due_at is not null and (worker is null or due_at <= :now) returning *"""
RENEW = f"update link set due_at = :now + :lease where {FENCE} returning id"
#: A line of the shop's history, under the same fence as what it tells of.
NOTED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, null, :now, :what, :told from link where {FENCE}"""
KEEP_GOING = f"""update link set due_at = :now + :lease, updated_at = :now{{sets}}
    where {FENCE} returning *"""
LET_GO = f"""update link set worker = null, updated_at = :now,
    due_at = :now + cast(:due_in as double precision){{sets}} where {FENCE} returning *"""
RELEASE_ALL = """update link set worker = null, due_at = :now
    where worker = :worker returning id"""
RELEASE_DEAD = """update link set worker = null, due_at = :now
    where worker is not null returning id"""

#: The shop writes again, or an account's credentials are good again.
WAKE_WAITING = """update link set due_at = :now where api_url = :api_url and worker is null
    and state in ('asked', 'bound') and code in ('observe', 'unauthorized', 'paused')"""

LIST = """select * from link where api_url = :api_url and (:all = 1 or state <> 'linked')
    order by id desc limit :limit"""

# ---- who has which Kustom order

HOLDER = """select *, :now - bound_at as age_s from binding
    where api_url = :api_url and kustom_order_id = :kustom_order_id"""

#: The order takes over what its own checkout was answered for. A person's word (`:takes_over`)
#: takes it from any checkout of the shop: that is no order yet, so nothing was captured for it.
TAKE_OVER = """update binding set order_id = :order_id, how = 'session', bound_at = :now
    where api_url = :api_url and environment = :environment and merchant_id = :merchant_id
      and kustom_order_id = :kustom_order_id and how = 'checkout'
      and (order_id = :checkout_id or :takes_over = 1)
      and not exists (select 1 from binding b
          where b.api_url = :api_url and b.order_id = :order_id)"""
_FENCED = f"exists (select 1 from link where {FENCE})"
TAKE_OVER_FENCED = f"{TAKE_OVER} and {_FENCED}"
BIND_FENCED = """insert into binding
        (api_url, order_id, environment, merchant_id, kustom_order_id, how, bound_at)
    select l.api_url, :order_id, :environment, :merchant_id, :kustom_order_id, :how, :now
    from link l where l.id = :id and l.attempts = :attempts and l.worker = :worker
    on conflict do nothing"""
#: The link's own state follows in the same transaction, if the order has the Kustom order now.
BOUND = f"""update link set state = 'bound', due_at = :now + :lease, updated_at = :now,
        order_number = :order_number, failures = 0, code = null, detail = '{{}}'
    where {FENCE} and exists ({IS_BOUND}) returning *"""
#: What is left to do for an order that took its checkout's row over: its transaction stands.
FOLLOW_UP = """insert into link (api_url, order_id, kustom_order_id, how, who, state,
        transaction_id, due_at, asked_at, updated_at)
    select b.api_url, b.order_id, b.kustom_order_id, 'session', 'storefront', 'bound',
        b.transaction_id, :now, :now, :now
    from binding b where b.api_url = :api_url and b.order_id = :order_id and b.how = 'session'
    on conflict (api_url, order_id) do nothing"""

# ---- what a storefront was answered for

#: A row of its own for a checkout or an order; one that another transaction was answered for is
#: only taken when that answer can't come true any more.
RESERVE = """insert into binding (api_url, order_id, environment, merchant_id, kustom_order_id,
        how, bound_at, transaction_id)
    values (:api_url, :order_id, :environment, :merchant_id, :kustom_order_id, :how, :now,
        :transaction_id)
    on conflict do nothing"""
RESERVE_AGAIN = """update binding set transaction_id = :transaction_id, bound_at = :now
    where api_url = :api_url and order_id = :order_id and environment = :environment
      and merchant_id = :merchant_id and kustom_order_id = :kustom_order_id
      and (transaction_id is null or transaction_id = :transaction_id
          or bound_at <= :now - :settled)"""
#: A checkout whose first Kustom order came to nothing may be paid with another.
RESERVE_ANOTHER = """update binding set environment = :environment, merchant_id = :merchant_id,
        kustom_order_id = :kustom_order_id, transaction_id = :transaction_id, bound_at = :now
    where api_url = :api_url and order_id = :order_id and how = 'checkout'
      and bound_at <= :now - :settled
      and not (environment = :environment and merchant_id = :merchant_id
          and kustom_order_id = :kustom_order_id)
      and not exists (select 1 from binding b where b.environment = :environment
          and b.merchant_id = :merchant_id and b.kustom_order_id = :kustom_order_id)"""
RESERVED = """select *, :now - bound_at as age_s from binding
    where (api_url = :api_url and order_id = :order_id)
       or (environment = :environment and merchant_id = :merchant_id
           and kustom_order_id = :kustom_order_id)"""
