-- A session that reads keeps few pages: whatever it kept is thrown away whenever another has written.
pragma journal_mode = wal;
pragma cache_size = -4096;
pragma temp_store = memory;
