-- Every write is alone here.
select @turn;
