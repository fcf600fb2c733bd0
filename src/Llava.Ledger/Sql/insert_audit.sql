insert into audit (number, at, actor, tenant, action, target, request_id, details, hash)
values (@number, @at, @actor, @tenant, @action, @target, @request, @details, @hash);
