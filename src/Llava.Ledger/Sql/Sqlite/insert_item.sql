insert into items (job_id, item_no, custom_id, images, prompt, category, model, chat)
values (?, ?, ?, ?, ?, ?, ?, ?);
