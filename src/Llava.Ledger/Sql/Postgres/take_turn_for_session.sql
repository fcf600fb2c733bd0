-- Ends with the connection. The first number is the ledger's own among the database's advisory locks.
select pg_advisory_lock(1280066902, @turn);
