select max("MigrationId") from "__EFMigrationsHistory";
