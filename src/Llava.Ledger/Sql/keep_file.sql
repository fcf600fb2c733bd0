update files
set name = @name, purpose = @purpose, bytes = @bytes, sha256 = @sha256, expires_at = @expires, kept = true
where id = @id;
