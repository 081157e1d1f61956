-- Rebuilds are purged by when they ended, and not by when they last changed.
drop index projection_rebuild_updated_at;
create index projection_rebuild_finished_at on projection_rebuild (finished_at);
