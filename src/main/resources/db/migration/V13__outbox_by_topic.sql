-- By topic, so that the relay reads nothing of a topic that waits, however many rows it has.
-- The index by id stays for instances of the release before; the next release drops it.
create index if not exists outbox_unsent_by_topic on outbox (topic, id) where sent_at is null and set_aside_at is null;

-- The topics that have unsent rows, each with its first one: a jump along the index for each, and not a look at every row.
create view outbox_unsent_topic as
with recursive first_row as (
    (select topic, id from outbox where sent_at is null and set_aside_at is null order by topic, id limit 1)
    union all
    select next.topic, next.id
    from first_row cross join lateral (
        select topic, id from outbox
        where topic > first_row.topic and sent_at is null and set_aside_at is null order by topic, id limit 1) next)
select topic, id from first_row;
