savepoint one_write;
