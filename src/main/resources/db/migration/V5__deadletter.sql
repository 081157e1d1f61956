-- What could not be handled, until a person has decided about it. seq is the order in which letters were first stored.
create table dead_letter (
    seq                bigint generated always as identity primary key,
    tenant             text        not null,
    id                 text        not null,
    original_topic     text        not null,
    original_partition int,
    original_offset    bigint,
    key                bytea,
    value              bytea,
    -- name, value, name, value …, as the dead letter has them: bytes, since a name may have characters that text cannot
    headers            bytea[]     not null,
    consumer_group     text,
    -- of the last failure
    error_class        text        not null,
    error_message      text        not null,
    error_stack        text        not null,
    failed_at          bigint      not null,
    status             text        not null check (status in ('NEW', 'REPROCESSED', 'DISCARDED', 'PARKED')),
    attempts           int         not null,
    discarded_by       text,
    discard_reason     text,
    stored_at          timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    -- a key or value may be too large for an index, so they are found and compared by digest; empty for null
    key_digest         bytea       not null generated always as (coalesce(sha256(key), ''::bytea)) stored,
    value_digest       bytea       not null generated always as (coalesce(sha256(value), ''::bytea)) stored,
    unique (tenant, id)
);
create index dead_letter_newest on dead_letter (tenant, seq desc);
create index dead_letter_status on dead_letter (tenant, status, original_topic, error_class, seq desc);
create index dead_letter_key on dead_letter (tenant, key_digest, seq desc);
create index dead_letter_updated_at on dead_letter (updated_at);

-- A letter that was sent again, written in the transaction that marks it and adds it to the outbox: so whoever reads the record finds it.
create table dead_letter_attempt (
    tenant              text        not null,
    letter              bigint      not null references dead_letter on delete cascade,
    reprocess_timestamp bigint      not null,
    original_topic      text        not null,
    key_digest          bytea       not null,
    value_digest        bytea       not null,
    -- what was sent in place of the value; null when that was sent as it is
    edited_value        bytea,
    sent_by             text        not null,
    reason              text,
    job                 uuid,
    sent_at             timestamptz not null default now(),
    -- when it became a dead letter again, and why; a record that is sent twice and fails twice has failed once
    failed_at           bigint,
    error_class         text,
    error_message       text,
    error_stack         text,
    primary key (letter, reprocess_timestamp),
    -- by this a dead letter finds the attempt that it comes from
    unique (original_topic, key_digest, reprocess_timestamp)
);

create table reprocess_job (
    id         uuid        primary key,
    tenant     text        not null,
    state      text        not null check (state in ('RUNNING', 'DONE', 'CANCELLED', 'FAILED')),
    filter     json        not null,
    rate       int         not null,
    reason     text,
    total      int         not null,
    done       int         not null default 0,
    skipped    int         not null default 0,
    -- the last letter that was looked at
    position   bigint      not null default 0,
    next_at    timestamptz not null default now(),
    failure    text,
    created_by text        not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index reprocess_job_due on reprocess_job (next_at) where state = 'RUNNING';
create index reprocess_job_updated_at on reprocess_job (updated_at);

-- The letters of a job as they were when it began: one that fails again, or comes later, is not among them.
create table reprocess_job_letter (
    tenant   text   not null,
    job      uuid   not null references reprocess_job on delete cascade,
    letter   bigint not null,
    attempts int    not null,
    primary key (job, letter)
);
