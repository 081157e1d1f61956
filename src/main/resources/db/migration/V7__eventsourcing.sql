-- Projections: views that follow from the log alone. Of a view is in its tables only what the log says, no clock and no sequence, so
-- that one that is built anew from the log can be compared with it column by column. Indexes have the names that PostgreSQL gives
-- them, since the tables of a rebuild take the place of these.

-- Behind the last record of each partition that is in the view, written in the transaction that made it so. A view is of all tenants.
create table projection_position (
    projection  text   not null,
    topic       text   not null,
    partition   int    not null,
    next_offset bigint not null,
    primary key (projection, topic, partition)
);

-- The replays of a projection. tenant is that of who began it; a replay is of all tenants.
create table projection_rebuild (
    id             uuid             primary key,
    tenant         text             not null,
    projection     text             not null,
    state          text             not null check (state in ('RUNNING', 'DONE', 'FAILED')),
    -- what is to be done next
    step           text             not null check (step in ('PREPARE', 'FIND', 'READ', 'SWAP')),
    dry_run        boolean          not null,
    -- what is replayed: the whole log when all are null; the events of one record key; or of the keys that have an event in a range of time
    key            text,
    from_time      bigint,
    to_time        bigint,
    events_done    bigint           not null default 0,
    events_total   bigint           not null default 0,
    poison_skipped bigint           not null default 0,
    -- events per second of the last steps
    rate           double precision not null default 0,
    differences    int,
    failure        text,
    started_by     text             not null,
    reason         text,
    started_at     timestamptz      not null default now(),
    updated_at     timestamptz      not null default now(),
    finished_at    timestamptz
);
create unique index projection_rebuild_running on projection_rebuild (projection) where state = 'RUNNING';
create index projection_rebuild_newest on projection_rebuild (projection, started_at desc);
create index projection_rebuild_updated_at on projection_rebuild (updated_at);

-- Where the log of each partition began when a replay first read it, and behind what it has read.
create table projection_rebuild_position (
    rebuild      uuid   not null references projection_rebuild on delete cascade,
    topic        text   not null,
    partition    int    not null,
    first_offset bigint not null,
    next_offset  bigint not null,
    primary key (rebuild, topic, partition)
);

-- The record keys of a replay that is not of the whole log; they may be of several tenants.
create table projection_rebuild_key (
    rebuild uuid not null references projection_rebuild on delete cascade,
    key     text not null,
    primary key (rebuild, key)
);

-- What a replay found to be other than it was, the first of them.
create table projection_difference (
    rebuild uuid not null references projection_rebuild on delete cascade,
    tenant  text not null,
    id      text not null,
    primary key (rebuild, tenant, id)
);

-- Where a rebuild writes its tables, until they take the place of those that are served.
create schema if not exists projection_shadow;

-- The projection patient-view. The record key comes first in primary keys, since a replay of some keys is of all tenants.
-- What the log says of a patient, each event by its first record: so that history and time travel read one patient's events, whatever
-- else is on the topic.
create table patient_event (
    tenant          text    not null,
    patient_id      text    not null,
    event_id        uuid    not null,
    event_type      text    not null,
    event_timestamp bigint  not null,
    partition       int     not null,
    "offset"        bigint  not null,
    -- it was a dead letter and is sent again: its place in the log says nothing about its order
    reprocessed     boolean not null,
    correlation_id  text    not null,
    causation_id    text,
    data            jsonb   not null,
    primary key (patient_id, tenant, event_id)
);

-- What follows from them. partition and last_offset say behind which record an event of the same partition is simply the next one.
create table patient_view (
    tenant      text   not null,
    patient_id  text   not null,
    view        jsonb  not null,
    partition   int    not null,
    last_offset bigint not null,
    primary key (patient_id, tenant)
);
