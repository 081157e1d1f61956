-- Who asks for each write to a FHIR server, stored before the server learns of it. The server keeps request_id with each version that it
-- makes, so the version names its intent after any crash.
create table fhir_intent (
    request_id     text        primary key,
    tenant         text        not null,
    principal      text        not null,
    -- the scopes of the token
    scope          text        not null,
    correlation_id text        not null,
    causation_id   text        not null,
    -- each thing that it asks for, once, with its number: no query and no identifier. An id is null where the server chooses or finds it.
    methods        text[]      not null,
    types          text[]      not null,
    ids            text[]      not null,
    counts         int[]       not null,
    -- NO_EFFECT: the server knows no version of it. UNRESOLVED: nobody can tell, such as when another intent may have made the delete.
    state          text        not null default 'OPEN' check (state in ('OPEN', 'DONE', 'NO_EFFECT', 'UNRESOLVED')),
    http_status    int,
    created_at     timestamptz not null default clock_timestamp(),
    answered_at    timestamptz,
    closed_at      timestamptz,
    -- The search for the effects of an open intent: when to ask the server next; of this pass, how many questions are asked, and whether one
    -- has no clear answer; how many passes there were.
    next_at        timestamptz not null,
    asked          int         not null default 0,
    unclear        boolean     not null default false,
    passes         int         not null default 0
);
create index fhir_intent_open on fhir_intent (created_at) where state = 'OPEN';
create index fhir_intent_due on fhir_intent (tenant, next_at) where state = 'OPEN';
create index fhir_intent_closed_at on fhir_intent (closed_at) where closed_at is not null;
-- a history shows no maker of a delete, so whoever asked for one is compared
create index fhir_intent_deletes on fhir_intent (tenant, created_at) where 'DELETE' = any(methods);
-- what is closed leaves the indexes of the open when the table is vacuumed: not only when a fifth of all that is kept has changed
alter table fhir_intent set (autovacuum_vacuum_scale_factor = 0.02);

-- The versions that writes made. A delete has no other trace of its maker.
create table fhir_outcome (
    tenant     text        not null,
    type       text        not null,
    id         text        not null,
    version    text        not null,
    request_id text        not null,
    -- false: the server named this version, but it may be an older one that the write left as it was; then meta.source decides
    confirmed  boolean     not null,
    noted_at   timestamptz not null default clock_timestamp(),
    primary key (tenant, type, id, version, request_id)
);
create index fhir_outcome_request_id on fhir_outcome (request_id);
create index fhir_outcome_noted_at on fhir_outcome (noted_at);
