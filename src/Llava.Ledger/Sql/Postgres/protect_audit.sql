create function llava.refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'Lines of the audit log are only ever added.';
end $$;
create trigger audit_is_not_changed before update or delete on llava.audit
for each row execute function llava.refuse_audit_change();
create trigger audit_is_not_emptied before truncate on llava.audit
for each statement execute function llava.refuse_audit_change();
