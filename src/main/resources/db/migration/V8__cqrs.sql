-- What is known of every command: from callers before it is sent, from Kafka clients once it is handled. Written once more in the
-- transaction of its effect, so one that comes again is known to be handled.
create table medication_command (
    tenant          text        not null,
    command_id      text        not null,
    command_type    text        not null,
    prescription_id text        not null,
    status          text        not null check (status in ('ACCEPTED', 'APPLIED', 'REJECTED')),
    reason          text,
    -- of the prescription, once the command is applied
    version         bigint,
    -- of the request that it came with; null when it came from Kafka
    fingerprint     bytea,
    created_at      timestamptz not null default now(),
    primary key (tenant, command_id)
) with (fillfactor = 80);
create index medication_command_created_at on medication_command (created_at);

-- The write model: prescriptions as commands have made them.
create table medication_prescription (
    tenant          text   not null,
    prescription_id text   not null,
    -- text and not json: what was sent is kept digit for digit, and has been checked
    content         text   not null,
    -- the saga that holds it
    locked_by       text,
    primary key (tenant, prescription_id)
) with (fillfactor = 80);

-- Sagas that have given a prescription back: a lock of theirs that comes later is refused.
create table medication_unlock (
    tenant          text        not null,
    prescription_id text        not null,
    saga_id         text        not null,
    unlocked_at     timestamptz not null default now(),
    primary key (tenant, prescription_id, saga_id)
);
create index medication_unlock_unlocked_at on medication_unlock (unlocked_at);

-- The projection prescription-view: of each prescription the event with the highest version. What is asked for by has columns; null when
-- it is no text that can be asked for.
create table prescription_view (
    tenant          text   not null,
    prescription_id text   not null,
    patient_id      text,
    prescriber_id   text,
    status          text   not null,
    version         bigint not null,
    created_at      bigint not null,
    prescription    text   not null,
    primary key (prescription_id, tenant)
);
create index on prescription_view (tenant, created_at desc, prescription_id desc);
create index on prescription_view (tenant, patient_id, created_at desc, prescription_id desc);
create index on prescription_view (tenant, prescriber_id, created_at desc, prescription_id desc);
create index on prescription_view (tenant, status, created_at desc, prescription_id desc);
