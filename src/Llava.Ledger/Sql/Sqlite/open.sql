pragma journal_mode = wal;
pragma synchronous = normal;
pragma cache_size = -65536;
pragma temp_store = memory;
