create trigger audit_is_not_changed before update on audit
begin
  select raise(abort, 'Lines of the audit log are only ever added.');
end;
create trigger audit_is_not_deleted before delete on audit
begin
  select raise(abort, 'Lines of the audit log are only ever added.');
end;
