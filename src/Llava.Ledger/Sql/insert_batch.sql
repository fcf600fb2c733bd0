insert into batches (id, tenant, job_id, input_file_id, endpoint, completion_window, metadata, output_lifetime, created_at)
values (@id, @tenant, @job, @input, @endpoint, @window, @metadata, @lifetime, @now)
on conflict do nothing;
