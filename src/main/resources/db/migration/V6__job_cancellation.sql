-- Who ended a job, and why; when is updated_at, which nothing changes afterwards.
alter table reprocess_job
    add column cancelled_by text,
    add column cancel_reason text;
