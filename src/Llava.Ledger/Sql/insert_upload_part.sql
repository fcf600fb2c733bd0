insert into upload_parts (id, upload_id, bytes, created_at)
values (@id, @upload, @bytes, @now)
on conflict do nothing;
