using System.Text.Json;
using Llava.Contracts.States;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Llava.Ledger.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Llava.Ledger.Schema;

/// <summary>
/// The schema, once for both databases; each provider has its own set of migrations. Statements do not go through here:
/// they are the files under <c>Sql</c>, so that a start never pays for building this model unless the schema is old.
/// </summary>
internal abstract class LedgerContext(DbContextOptions options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<JobRow>(job =>
        {
            job.ToTable("jobs", table => table.HasCheckConstraint("ck_jobs_state", AnyOf("state", JobStates.Table)));
            job.HasKey(row => row.Id);
            job.Property(row => row.Id).ValueGeneratedNever();
            StoreWireName(job.Property(row => row.State), JobStates.Table);
            job.HasIndex(row => new { row.State, row.Model }).HasDatabaseName("ix_jobs_state");
            job.HasIndex(row => row.FinishedAt).HasFilter("announced_at is null").HasDatabaseName("ix_jobs_unannounced");
            job.HasIndex(row => new { row.Tenant, row.IdempotencyKey }).IsUnique().HasFilter("idempotency_key is not null").HasDatabaseName("ux_jobs_idempotency");
        });
        modelBuilder.Entity<PartRow>(part =>
        {
            part.ToTable("parts", table => table.HasCheckConstraint("ck_parts_state", AnyOf("state", PartStates.Table)));
            part.HasKey(row => new { row.JobId, row.PartNo });
            StoreWireName(part.Property(row => row.State), PartStates.Table);
            part.HasIndex(row => new { row.JobId, row.PartNo }).HasFilter("state = 'waiting'").HasDatabaseName("ix_parts_waiting");
            part.HasIndex(row => new { row.JobId, row.IdempotencyKey }).IsUnique().HasFilter("idempotency_key is not null").HasDatabaseName("ux_parts_idempotency");
        });
        modelBuilder.Entity<ItemRow>(item =>
        {
            item.ToTable("items");
            item.HasKey(row => new { row.JobId, row.ItemNo });
            item.HasIndex(row => new { row.JobId, row.Category, row.ItemNo }).HasFilter("category is not null").HasDatabaseName("ix_items_category");
        });
        modelBuilder.Entity<ChunkRow>(chunk =>
        {
            chunk.ToTable("chunks", table => table.HasCheckConstraint("ck_chunks_state", AnyOf("state", ChunkStates.Table)));
            chunk.HasKey(row => new { row.JobId, row.ChunkNo });
            StoreWireName(chunk.Property(row => row.State), ChunkStates.Table);

            // Waiting (published_at is null), outstanding (not null) and unfinished (either) chunks of a job, in order, from one small index.
            chunk.HasIndex(row => new { row.JobId, row.PublishedAt, row.ChunkNo }).HasFilter("state <> 'done'").HasDatabaseName("ix_chunks_unfinished");

            // Jobs that ask further models.
            chunk.HasIndex(row => new { row.JobId, row.Model }).HasFilter("model is not null").HasDatabaseName("ix_chunks_model");
        });
        modelBuilder.Entity<ResultRow>(result =>
        {
            result.ToTable("results", table => table.HasCheckConstraint("ck_results_outcome", AnyOf("outcome", ItemOutcomes.Table)));
            result.HasKey(row => new { row.JobId, row.ItemNo });
            StoreWireName(result.Property(row => row.Outcome), ItemOutcomes.Table);
            result.HasIndex(row => new { row.JobId, row.ErrorCode }).HasFilter("error_code is not null").HasDatabaseName("ix_results_error");

            // The gallery that shows first what the model was least sure of.
            result.HasIndex(row => new { row.JobId, row.Confidence, row.ItemNo }).HasFilter("confidence is not null").HasDatabaseName("ix_results_confidence");

            // The pages' throughput: what was recorded in the last moments, of all jobs.
            result.HasIndex(row => row.FinishedAt).HasDatabaseName("ix_results_finished");
        });
        modelBuilder.Entity<ExpectedAnswerRow>(expected =>
        {
            expected.ToTable("expected_answers");
            expected.HasKey(row => new { row.JobId, row.ItemNo });
        });
        AddReviews(modelBuilder);
        modelBuilder.Entity<AttemptRow>(attempt =>
        {
            attempt.ToTable("attempts", table => table.HasCheckConstraint("ck_attempts_ending", AnyOf("ending", AttemptEndings.Table)));
            attempt.HasKey(row => new { row.JobId, row.ChunkNo, row.Fence, row.Ending });
            StoreWireName(attempt.Property(row => row.Ending), AttemptEndings.Table);
            attempt.HasIndex(row => new { row.JobId, row.EndedAt }).HasDatabaseName("ix_attempts_ended");
        });
        modelBuilder.Entity<CachedResultRow>(cached =>
        {
            cached.ToTable("result_cache");
            cached.HasKey(row => row.Key);
            cached.HasIndex(row => row.UsedAt).HasDatabaseName("ix_result_cache_used");
            cached.HasIndex(row => row.ScopeJobId).HasFilter("scope_job_id is not null").HasDatabaseName("ix_result_cache_scope");
        });
        modelBuilder.Entity<WorkerRow>(worker =>
        {
            worker.ToTable("workers");
            worker.HasKey(row => row.Id);
            worker.Property(row => row.Bases).HasDefaultValue("[]");
        });
        AddSchedules(modelBuilder);
        AddFiles(modelBuilder);
        AddTraining(modelBuilder);
        AddBatches(modelBuilder);
        AddWebhooks(modelBuilder);
        AddAccess(modelBuilder);
        NameColumnsInSnakeCase(modelBuilder);
    }

    private void AddReviews(ModelBuilder modelBuilder) => modelBuilder.Entity<ReviewRow>(review =>
    {
        review.ToTable("reviews", table => table.HasCheckConstraint("ck_reviews_verdict", AnyOf("verdict", ReviewVerdicts.Table)));
        review.HasKey(row => new { row.JobId, row.ItemNo, row.ReviewNo });
        StoreWireName(review.Property(row => row.Verdict), ReviewVerdicts.Table);
        review.HasIndex(row => new { row.JobId, row.ItemNo }).IsUnique().HasFilter("latest").HasDatabaseName("ux_reviews_latest");
        review.HasIndex(row => new { row.JobId, row.Verdict, row.ItemNo }).HasFilter("latest").HasDatabaseName("ix_reviews_verdict");
    });

    private static void AddSchedules(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ScheduleRow>(schedule =>
        {
            schedule.ToTable("schedules");
            schedule.HasKey(row => row.Id);
            schedule.Property(row => row.Id).ValueGeneratedNever();
            schedule.HasIndex(row => new { row.Tenant, row.Name }).IsUnique().HasDatabaseName("ux_schedules_name");
        });
        modelBuilder.Entity<ScheduleJobRow>(job =>
        {
            job.ToTable("schedule_jobs");
            job.HasKey(row => row.JobId);
            job.Property(row => row.JobId).ValueGeneratedNever();
            job.HasIndex(row => new { row.ScheduleId, row.JobId }).HasDatabaseName("ix_schedule_jobs_schedule");
        });
        modelBuilder.Entity<ScheduleRunRow>(run =>
        {
            run.ToTable("schedule_runs");
            run.HasKey(row => row.RunId);
            run.HasIndex(row => new { row.ScheduleId, row.RunId }).HasDatabaseName("ix_schedule_runs_schedule");
        });
        modelBuilder.Entity<ScheduleItemRow>(item =>
        {
            item.ToTable("schedule_items");
            item.HasKey(row => new { row.ScheduleId, row.Key });
            item.HasIndex(row => row.JobId).HasFilter("job_id is not null").HasDatabaseName("ix_schedule_items_job");
        });
    }

    private void AddFiles(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<FileRow>(file =>
        {
            file.ToTable("files");
            file.HasKey(row => row.Id);
            file.HasIndex(row => new { row.Tenant, row.Id }).HasDatabaseName("ix_files_tenant");
            file.HasIndex(row => row.ExpiresAt).HasFilter("expires_at is not null").HasDatabaseName("ix_files_expiry");
        });
        modelBuilder.Entity<UploadRow>(upload =>
        {
            upload.ToTable("uploads", table => table.HasCheckConstraint("ck_uploads_state", AnyOf("state", UploadStates.Names)));
            upload.HasKey(row => row.Id);
            upload.HasIndex(row => row.ExpiresAt).HasDatabaseName("ix_uploads_expiry");
        });
        modelBuilder.Entity<UploadPartRow>(part =>
        {
            part.ToTable("upload_parts");
            part.HasKey(row => row.Id);
            part.HasIndex(row => row.UploadId).HasDatabaseName("ix_upload_parts_upload");
        });
    }

    private void AddTraining(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<TrainingRunRow>(run =>
        {
            run.ToTable("training_runs", table => table.HasCheckConstraint("ck_training_runs_state", AnyOf("state", TrainingRunStates.Table)));
            run.HasKey(row => row.Id);
            StoreWireName(run.Property(row => row.State), TrainingRunStates.Table);
            run.HasIndex(row => new { row.Tenant, row.Id }).HasDatabaseName("ix_training_runs_tenant");
            run.HasIndex(row => new { row.Priority, row.Id }).HasFilter("state in ('validating_files', 'queued', 'running')").HasDatabaseName("ix_training_runs_waiting");
            run.HasIndex(row => row.Model).IsUnique().HasDatabaseName("ux_training_runs_model");
            run.HasIndex(row => row.PreviousId).HasFilter("previous_id is not null").HasDatabaseName("ix_training_runs_previous");
        });
        modelBuilder.Entity<PromotionRow>(promotion =>
        {
            promotion.ToTable("promotions");
            promotion.HasKey(row => row.RunId);
            promotion.HasIndex(row => new { row.Tenant, row.Name, row.DecidedAt }).HasFilter("holds").HasDatabaseName("ix_promotions_name");
            promotion.HasIndex(row => row.RunId).HasFilter("decided_at is null").HasDatabaseName("ix_promotions_waiting");
        });
        modelBuilder.Entity<TrainingMetricRow>(metric =>
        {
            metric.ToTable("training_metrics");
            metric.HasKey(row => new { row.RunId, row.Step });
            metric.Property(row => row.Waited).HasDefaultValue(0.0);
        });
        modelBuilder.Entity<TrainingCheckpointRow>(checkpoint =>
        {
            checkpoint.ToTable("training_checkpoints");
            checkpoint.HasKey(row => new { row.RunId, row.Step });
        });
        modelBuilder.Entity<TrainingEventRow>(happened =>
        {
            happened.ToTable("training_events");
            happened.HasKey(row => new { row.RunId, row.EventNo });
        });
    }

    private static void AddBatches(ModelBuilder modelBuilder) => modelBuilder.Entity<BatchRow>(batch =>
    {
        batch.ToTable("batches");
        batch.HasKey(row => row.Id);
        batch.HasIndex(row => row.JobId).IsUnique().HasDatabaseName("ux_batches_job");
        batch.HasIndex(row => new { row.Tenant, row.Id }).HasDatabaseName("ix_batches_tenant");
        batch.HasIndex(row => row.JobId, "ix_batches_unpublished").HasFilter("published_at is null");
    });

    private void AddWebhooks(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<WebhookRow>(webhook =>
        {
            webhook.ToTable("webhooks");
            webhook.HasKey(row => row.Id);
            webhook.HasIndex(row => row.Tenant).HasDatabaseName("ix_webhooks_tenant");
        });
        modelBuilder.Entity<WebhookDeliveryRow>(delivery =>
        {
            delivery.ToTable("webhook_deliveries", table => table.HasCheckConstraint("ck_webhook_deliveries_state", AnyOf("state", DeliveryStates.Names)));
            delivery.HasKey(row => row.Id);
            delivery.HasIndex(row => new { row.WebhookId, row.Id }).HasDatabaseName("ix_webhook_deliveries_webhook");
            delivery.HasIndex(row => row.NextAt).HasFilter("state = 'pending'").HasDatabaseName("ix_webhook_deliveries_due");
        });
    }

    private void AddAccess(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<ApiKeyRow>(key =>
        {
            key.ToTable("api_keys", table => table.HasCheckConstraint("ck_api_keys_role", AnyOf("role", AccessRoles.Names)));
            key.HasKey(row => row.Id);
            key.Property(row => row.Role).HasConversion(role => role.WireName(), name => AccessRoles.Parse(name));
        });
        modelBuilder.Entity<SignInRow>(signIn =>
        {
            signIn.ToTable("sign_ins");
            signIn.HasKey(row => row.Id);
        });
        modelBuilder.Entity<AuditRow>(line =>
        {
            line.ToTable("audit");
            line.HasKey(row => row.Number);
            line.Property(row => row.Number).ValueGeneratedNever();
            line.HasIndex(row => new { row.Target, row.Number }).HasDatabaseName("ix_audit_target");
        });
    }

    /// <summary>The condition that a column holds one of these texts.</summary>
    protected virtual string AnyOf(string column, IEnumerable<string> names) => $"{column} in ({string.Join(", ", names.Select(name => $"'{name}'"))})";

    private string AnyOf<TState>(string column, StateTable<TState> table)
        where TState : struct, Enum =>
        AnyOf(column, table.States.Select(table.WireName));

    private static void StoreWireName<TState>(PropertyBuilder<TState> property, StateTable<TState> table)
        where TState : struct, Enum =>
        property.HasConversion(state => table.WireName(state), name => table.Parse(name));

    private static void NameColumnsInSnakeCase(ModelBuilder modelBuilder)
    {
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
        {
            property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
        }
    }
}
