-- The key with which page links of the FHIR facade are bound to their caller: all instances share it, and it stays.
create table fhir_page_key (
    only_one boolean primary key default true check (only_one),
    key      bytea not null
);
-- two random UUIDs: 244 bits of the server's strong random numbers
insert into fhir_page_key (key)
values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
