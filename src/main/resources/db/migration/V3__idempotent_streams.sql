-- The fingerprint of a stream is known at its end; until then its key is on lease.
alter table idempotency_key
    alter column fingerprint drop not null,
    add column leased_until timestamptz;
