-- A UUID in upper and in lower case is one id. From now on ids are kept and looked for in lower case, so those that were kept as they were
-- written are changed. Of several that are the same now, the one in lower case counts, else the first; the others stay as they are.
update medication_command known set command_id = lower(command_id)
where command_id <> lower(command_id) and command_id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
  and not exists (select 1 from medication_command other
                  where other.tenant = known.tenant and lower(other.command_id) = lower(known.command_id)
                    and (other.command_id = lower(known.command_id) or other.command_id < known.command_id));
update medication_prescription set locked_by = lower(locked_by)
where locked_by <> lower(locked_by) and locked_by ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
update medication_unlock known set saga_id = lower(saga_id)
where saga_id <> lower(saga_id) and saga_id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
  and not exists (select 1 from medication_unlock other
                  where other.tenant = known.tenant and other.prescription_id = known.prescription_id
                    and lower(other.saga_id) = lower(known.saga_id)
                    and (other.saga_id = lower(known.saga_id) or other.saga_id < known.saga_id));
update dead_letter known set id = lower(id)
where id <> lower(id) and id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
  and not exists (select 1 from dead_letter other
                  where other.tenant = known.tenant and lower(other.id) = lower(known.id)
                    and (other.id = lower(known.id) or other.id < known.id));
-- A letter whose id another letter has now gets one of its own, by which it can be shown and sent.
update dead_letter set id = gen_random_uuid()::text
where id <> lower(id) and id ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';

-- An event that was dated ahead kept every later one out of its order.
update pharmacy_order set event_timestamp = (extract(epoch from updated_at) * 1000)::bigint
where event_timestamp > extract(epoch from updated_at) * 1000;
