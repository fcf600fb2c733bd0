rollback to savepoint one_write;
