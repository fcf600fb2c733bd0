pragma journal_mode = wal;
pragma synchronous = normal;
pragma cache_size = -65536;
pragma temp_store = memory;
-- 32 MB of log between checkpoints: each of those waits for the disk.
pragma wal_autocheckpoint = 8192;
