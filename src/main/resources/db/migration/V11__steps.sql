-- A step of a job or a rebuild that fails is put off in its row, so that every instance waits for the same time. Both numbers are of the
-- step that comes next.
alter table reprocess_job
    add column failures         int not null default 0,
    add column unknown_failures int not null default 0;
alter table projection_rebuild
    add column next_at          timestamptz not null default now(),
    add column failures         int         not null default 0,
    add column unknown_failures int         not null default 0;
