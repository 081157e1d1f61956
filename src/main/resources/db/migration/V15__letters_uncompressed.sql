-- A letter is sent piece by piece, and of a compressed value each piece is unpacked from the beginning. So what comes from now on is kept as it
-- is; rows from before stay compressed.
alter table dead_letter alter column value set storage external;
alter table dead_letter_attempt alter column edited_value set storage external;
