delete from jobs
where id = @job;
