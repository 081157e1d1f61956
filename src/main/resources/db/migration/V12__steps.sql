-- A step of a job or a rebuild that fails is put off in its row, so that every instance waits for the same time. Both numbers are of the
-- step that comes next.
alter table reprocess_job
    add column failures         int not null default 0,
    add column unknown_failures int not null default 0;
alter table projection_rebuild
    add column next_at          timestamptz not null default now(),
    add column failures         int         not null default 0,
    add column unknown_failures int         not null default 0;

-- A UUID in upper and in lower case is one id. From now on ids are kept and looked for in lower case, so those that were kept as they were
-- written are changed; of two that are the same now, the one in lower case counts.
update medication_command known set command_id = lower(command_id)
where command_id <> lower(command_id) and command_id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
  and not exists (select 1 from medication_command other
                  where other.tenant = known.tenant and other.command_id = lower(known.command_id));
update medication_prescription set locked_by = lower(locked_by)
where locked_by <> lower(locked_by) and locked_by ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
update medication_unlock known set saga_id = lower(saga_id)
where saga_id <> lower(saga_id) and saga_id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
  and not exists (select 1 from medication_unlock other
                  where other.tenant = known.tenant and other.prescription_id = known.prescription_id
                    and other.saga_id = lower(known.saga_id));
update dead_letter known set id = lower(id)
where id <> lower(id) and id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
  and not exists (select 1 from dead_letter other where other.tenant = known.tenant and other.id = lower(known.id));

-- An event that was dated ahead kept every later one out of its order.
update pharmacy_order set event_timestamp = (extract(epoch from updated_at) * 1000)::bigint
where event_timestamp > extract(epoch from updated_at) * 1000;
