-- What an event was about: another event under the same id is told apart from a repeat. Null in rows from before.
alter table handled_event add column subject text;
