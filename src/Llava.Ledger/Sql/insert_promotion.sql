insert into promotions (run_id, tenant, name, model)
values (@run, @tenant, @name, @model);
