"""Every statement about operations, named and described. The same for both databases."""

_LINE = """coalesce(b.environment || '/' || b.merchant_id || '/' || b.kustom_order_id,
            :unbound_line),
        coalesce(b.environment || '/' || b.merchant_id, '')"""
_COLUMNS = """api_url, order_id, fulfillment_id, fulfillment_created, kind, request,
        line, account, due_at, created_at, updated_at"""
_ONCE = "on conflict (api_url, order_id, fulfillment_id, fulfillment_created) do nothing"
_IDENTITY = """api_url = :api_url and order_id = :order_id and fulfillment_id = :key
    and fulfillment_created = :created and kind = :kind"""

#: The row of a request that was just stored; a repeated delivery has its row already.
MAKE_REQUESTED = f"""insert into capture ({_COLUMNS}, traceparent)
    select d.api_url, d.order_id, d.id, :created, :kind, :request, {_LINE}, :now, :now, :now,
        d.traceparent
    from delivery d left join binding b on b.api_url = d.api_url and b.order_id = d.order_id
    where d.id = :delivery {_ONCE}"""
REQUESTED = """select c.* from delivery d join capture c on c.api_url = d.api_url
        and c.order_id = d.order_id and c.fulfillment_id = d.id
    where d.api_url = :api_url and d.event = :event and d.body_sha256 = :sha256"""

#: The row of what a person or a policy asks.
MAKE_ASKED = f"""insert into capture ({_COLUMNS})
    select f.api_url, f.order_id, f.key, f.created, :kind, :request, {_LINE}, :now, :now, :now
    from (select cast(:api_url as text) as api_url, cast(:order_id as text) as order_id,
        cast(:key as text) as key, cast(:created as text) as created) f
    left join binding b on b.api_url = f.api_url and b.order_id = f.order_id
    where true {_ONCE}"""
FIND_ASKED = f"select * from capture where {_IDENTITY}"
#: Who asked, each time; for what has ended, asking again changes nothing.
_OPEN = "state in ('received', 'nothing')"
ASKED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'asked', :request from capture where {_IDENTITY} and {_OPEN}"""
#: A person asks once more for what was held, or came to nothing: it is decided anew.
ASK_AGAIN = f"""update capture set request = :request, wakes = wakes + 1, updated_at = :now,
        held = null, held_detail = '{{}}', waiting = 'asked_again', waiting_detail = '{{}}',
        failures = 0, due_at = case when worker is null then :now else due_at end
    where {_IDENTITY} and attempts > 0 and {_OPEN}"""

# Who answers first decides; what runs, or waits to tell Saleor, learns of it. Saleor is told a
# moment after the answer, so that it has read that first.
ANSWER = """update capture set answer = :answer, answered_at = :now, wakes = wakes + 1,
        due_at = case when worker is null and due_at is not null
                           and state in ('captured', 'nothing') then :now + :settles
                      else due_at end
    where api_url = :api_url and id = :id and answer is null"""

CLOSINGS = """select * from capture where api_url = :api_url and order_id = :order_id
    and fulfillment_id = 'close'"""
