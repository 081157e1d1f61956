-- A request has its key on lease until it is answered: owner is the id of that request, and null when nobody has the key.
alter table idempotency_key
    add column owner uuid;
