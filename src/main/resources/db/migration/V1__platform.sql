-- What every pattern shares. Every table has a tenant.

-- One row per event and consumer group, written in the transaction of the event's effect: a repeat finds the row and has no effect.
create table handled_event (
    consumer_group text        not null,
    tenant         text        not null,
    event_id       uuid        not null,
    handled_at     timestamptz not null default now(),
    primary key (consumer_group, tenant, event_id)
);
create index handled_event_handled_at on handled_event (handled_at);

-- The first answer to a request with an Idempotency-Key. answer is null until the request is done.
create table idempotency_key (
    tenant      text        not null,
    client      text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    answer      text,
    created_at  timestamptz not null default now(),
    primary key (tenant, client, key)
);
create index idempotency_key_created_at on idempotency_key (created_at);
