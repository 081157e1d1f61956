-- Records that follow from a database change: written in its transaction, sent by the relay, marked once the broker has acknowledged them.
create table outbox (
    id            bigint generated always as identity primary key,
    tenant        text        not null,
    topic         text        not null,
    key           bytea,
    value         bytea,
    header_names  text[]      not null,
    header_values bytea[]     not null,
    event_id      text,
    created_at    timestamptz not null default clock_timestamp(),
    sent_at       timestamptz,
    -- the broker will never take it; later records of its topic and key wait behind it
    set_aside_at  timestamptz,
    failure       text
);
create index outbox_unsent on outbox (id) where sent_at is null and set_aside_at is null;
create index outbox_set_aside on outbox (id) where set_aside_at is not null;
create index outbox_sent_at on outbox (sent_at) where sent_at is not null;
-- what is sent leaves the index of the unsent when it is vacuumed: not only when a fifth of all that is kept has changed
alter table outbox set (autovacuum_vacuum_scale_factor = 0.02);
