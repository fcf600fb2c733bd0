pragma journal_mode = wal;
pragma synchronous = full;
pragma cache_size = -65536;
pragma temp_store = memory;
