-- A run that searches for the effects of an intent has it alone until leased_until, and notes nothing after that.
-- attempts: the consecutive runs that came no further, because the server failed or the process died.
alter table fhir_intent
    add column leased_until timestamptz,
    add column attempts     int not null default 0;

-- Only these may have made a delete whose maker is not known. The index holds no other closed intent.
drop index fhir_intent_deletes;
create index fhir_intent_deletes on fhir_intent (tenant, created_at)
    where 'DELETE' = any(methods) and state in ('OPEN', 'UNRESOLVED');
