-- The pharmacy's work queue: one row per prescription, in the state of its latest event.
create table pharmacy_order (
    seq             bigint generated always as identity,
    tenant          text        not null,
    prescription_id text        not null,
    patient_id      text        not null,
    status          text        not null,
    prescription    json        not null,
    event_id        uuid        not null,
    event_timestamp bigint      not null,
    correlation_id  text        not null,
    received_at     timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    primary key (tenant, prescription_id)
);
create index pharmacy_order_newest on pharmacy_order (tenant, seq desc);
create index pharmacy_order_patient on pharmacy_order (tenant, patient_id, seq desc);

-- The metadata of every event, by its first record on its topic.
create table activity (
    seq             bigint generated always as identity primary key,
    tenant          text        not null,
    topic           text        not null,
    event_id        text        not null,
    event_type      text        not null,
    partition       int         not null,
    "offset"        bigint      not null,
    event_timestamp bigint      not null,
    correlation_id  text        not null,
    causation_id    text,
    logged_at       timestamptz not null default now(),
    unique (tenant, topic, event_id)
);
create index activity_journey on activity (tenant, correlation_id, seq desc);
create index activity_newest on activity (tenant, seq desc);
create index activity_logged_at on activity (logged_at);
