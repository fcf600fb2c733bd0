-- All migrations at once, for a file that has none yet: spares the first start EF Core's model. A test holds it to the migrations
-- and writes it anew where LLAVA_WRITE_SCHEMA is 1.
CREATE TABLE IF NOT EXISTS "__EFMigrationsHistory" (
    "MigrationId" TEXT NOT NULL CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY,
    "ProductVersion" TEXT NOT NULL
);

CREATE TABLE "chunks" (
    "job_id" INTEGER NOT NULL,
    "chunk_no" INTEGER NOT NULL,
    "first_item" INTEGER NOT NULL,
    "item_count" INTEGER NOT NULL,
    "tokens" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "owner" TEXT NULL,
    "lease_until" INTEGER NULL,
    "published_at" INTEGER NULL,
    "error" TEXT NULL,
    CONSTRAINT "PK_chunks" PRIMARY KEY ("job_id", "chunk_no"),
    CONSTRAINT "ck_chunks_state" CHECK (state in ('open', 'leased', 'done'))
);

CREATE TABLE "items" (
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "custom_id" TEXT NOT NULL,
    "images" TEXT NOT NULL,
    "prompt" TEXT NULL,
    "category" TEXT NULL,
    CONSTRAINT "PK_items" PRIMARY KEY ("job_id", "item_no")
);

CREATE TABLE "jobs" (
    "id" INTEGER NOT NULL CONSTRAINT "PK_jobs" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "request" TEXT NOT NULL,
    "idempotency_key" TEXT NULL,
    "source_position" TEXT NULL,
    "item_count" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "expanded_at" INTEGER NULL,
    "started_at" INTEGER NULL,
    "finished_at" INTEGER NULL,
    "expires_at" INTEGER NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "final_progress" TEXT NULL,
    "announced_at" INTEGER NULL,
    CONSTRAINT "ck_jobs_state" CHECK (state in ('validating', 'queued', 'running', 'paused', 'finalizing', 'completed', 'cancelling', 'cancelled', 'failed', 'expired'))
);

CREATE TABLE "results" (
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "text" TEXT NULL,
    "finish_reason" TEXT NULL,
    "prompt_tokens" INTEGER NOT NULL,
    "completion_tokens" INTEGER NOT NULL,
    "cached_tokens" INTEGER NOT NULL,
    "queue_ms" REAL NOT NULL,
    "prefill_ms" REAL NOT NULL,
    "decode_ms" REAL NOT NULL,
    "confidence" REAL NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "worker" TEXT NULL,
    "model_revision" TEXT NULL,
    "attempts" INTEGER NOT NULL,
    "finished_at" INTEGER NOT NULL,
    CONSTRAINT "PK_results" PRIMARY KEY ("job_id", "item_no"),
    CONSTRAINT "ck_results_outcome" CHECK (outcome in ('succeeded', 'failed', 'cancelled', 'expired'))
);

CREATE TABLE "workers" (
    "id" TEXT NOT NULL CONSTRAINT "PK_workers" PRIMARY KEY,
    "host" TEXT NOT NULL,
    "process_id" INTEGER NOT NULL,
    "process_started_at" INTEGER NOT NULL,
    "models" TEXT NOT NULL,
    "draining" INTEGER NOT NULL,
    "registered_at" INTEGER NOT NULL,
    "heartbeat_at" INTEGER NOT NULL
);

CREATE INDEX "ix_chunks_unfinished" ON "chunks" ("job_id", "published_at", "chunk_no") WHERE state <> 'done';

CREATE INDEX "ix_jobs_state" ON "jobs" ("state", "model");

CREATE INDEX "ix_jobs_unannounced" ON "jobs" ("finished_at") WHERE announced_at is null;

CREATE UNIQUE INDEX "ux_jobs_idempotency" ON "jobs" ("tenant", "idempotency_key") WHERE idempotency_key is not null;

CREATE INDEX "ix_results_error" ON "results" ("job_id", "error_code") WHERE error_code is not null;

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123041721_InitialLedger', '10.0.15');

ALTER TABLE "results" ADD "claimed_at" INTEGER NULL;

ALTER TABLE "results" ADD "prepare_ms" REAL NULL;

ALTER TABLE "results" ADD "queued_at" INTEGER NULL;

ALTER TABLE "results" ADD "source_item_no" INTEGER NULL;

ALTER TABLE "results" ADD "source_job_id" INTEGER NULL;

ALTER TABLE "jobs" ADD "reported_at" INTEGER NULL;

ALTER TABLE "jobs" ADD "reported_items" INTEGER NULL;

ALTER TABLE "chunks" ADD "claimed_at" INTEGER NULL;

CREATE TABLE "attempts" (
    "job_id" INTEGER NOT NULL,
    "chunk_no" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "ending" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "first_item" INTEGER NOT NULL,
    "item_count" INTEGER NOT NULL,
    "worker" TEXT NULL,
    "started_at" INTEGER NOT NULL,
    "ended_at" INTEGER NOT NULL,
    "error" TEXT NULL,
    CONSTRAINT "PK_attempts" PRIMARY KEY ("job_id", "chunk_no", "fence", "ending"),
    CONSTRAINT "ck_attempts_ending" CHECK (ending in ('given_back', 'failed', 'lease_expired', 'worker_died', 'halved', 'job_expired'))
);

CREATE TABLE "result_cache" (
    "key" TEXT NOT NULL CONSTRAINT "PK_result_cache" PRIMARY KEY,
    "scope_job_id" INTEGER NULL,
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "text" TEXT NULL,
    "finish_reason" TEXT NULL,
    "confidence" REAL NULL,
    "created_at" INTEGER NOT NULL,
    "used_at" INTEGER NOT NULL
);

CREATE INDEX "ix_attempts_ended" ON "attempts" ("job_id", "ended_at");

CREATE INDEX "ix_result_cache_scope" ON "result_cache" ("scope_job_id") WHERE scope_job_id is not null;

CREATE INDEX "ix_result_cache_used" ON "result_cache" ("used_at");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123102023_ItemHistory', '10.0.15');

ALTER TABLE "jobs" ADD "trace_parent" TEXT NULL;

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123102200_JobTraceParent', '10.0.15');

CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL CONSTRAINT "PK_api_keys" PRIMARY KEY,
    "name" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL,
    "expires_at" INTEGER NULL,
    "revoked_at" INTEGER NULL,
    "last_used_at" INTEGER NULL,
    CONSTRAINT "ck_api_keys_role" CHECK (role in ('viewer', 'operator', 'admin'))
);

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123102418_ApiKeys', '10.0.15');

CREATE TABLE "schedule_items" (
    "schedule_id" INTEGER NOT NULL,
    "key" INTEGER NOT NULL,
    "job_id" INTEGER NULL,
    "item_no" INTEGER NOT NULL,
    CONSTRAINT "PK_schedule_items" PRIMARY KEY ("schedule_id", "key")
);

CREATE TABLE "schedule_jobs" (
    "job_id" INTEGER NOT NULL CONSTRAINT "PK_schedule_jobs" PRIMARY KEY,
    "schedule_id" INTEGER NOT NULL,
    "only_new" INTEGER NOT NULL
);

CREATE TABLE "schedules" (
    "id" INTEGER NOT NULL CONSTRAINT "PK_schedules" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "cron" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "request" TEXT NOT NULL,
    "only_new" INTEGER NOT NULL,
    "overlap" TEXT NOT NULL,
    "enabled" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "updated_at" INTEGER NOT NULL,
    "settled_until" INTEGER NOT NULL,
    "last_run_at" INTEGER NULL,
    "last_job_id" INTEGER NULL,
    "last_error" TEXT NULL
);

CREATE INDEX "ix_schedule_items_job" ON "schedule_items" ("job_id") WHERE job_id is not null;

CREATE INDEX "ix_schedule_jobs_schedule" ON "schedule_jobs" ("schedule_id", "job_id");

CREATE UNIQUE INDEX "ux_schedules_name" ON "schedules" ("tenant", "name");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123102525_Schedules', '10.0.15');

ALTER TABLE "jobs" ADD "open" INTEGER NOT NULL DEFAULT 0;

CREATE TABLE "parts" (
    "job_id" INTEGER NOT NULL,
    "part_no" INTEGER NOT NULL,
    "source" TEXT NOT NULL,
    "idempotency_key" TEXT NULL,
    "state" TEXT NOT NULL,
    "position" TEXT NULL,
    "first_item" INTEGER NULL,
    "item_count" INTEGER NOT NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    CONSTRAINT "PK_parts" PRIMARY KEY ("job_id", "part_no"),
    CONSTRAINT "ck_parts_state" CHECK (state in ('waiting', 'done', 'failed'))
);

CREATE INDEX "ix_parts_waiting" ON "parts" ("job_id", "part_no") WHERE state = 'waiting';

CREATE UNIQUE INDEX "ux_parts_idempotency" ON "parts" ("job_id", "idempotency_key") WHERE idempotency_key is not null;

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123141436_Parts', '10.0.15');

CREATE TABLE "files" (
    "id" TEXT NOT NULL CONSTRAINT "PK_files" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "bytes" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "location" TEXT NOT NULL,
    "kept" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "expires_at" INTEGER NULL
);

CREATE TABLE "upload_parts" (
    "id" TEXT NOT NULL CONSTRAINT "PK_upload_parts" PRIMARY KEY,
    "upload_id" TEXT NOT NULL,
    "bytes" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL
);

CREATE TABLE "uploads" (
    "id" TEXT NOT NULL CONSTRAINT "PK_uploads" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "bytes" INTEGER NOT NULL,
    "lifetime" INTEGER NULL,
    "state" TEXT NOT NULL,
    "file_id" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    "expires_at" INTEGER NOT NULL,
    CONSTRAINT "ck_uploads_state" CHECK (state in ('pending', 'completed', 'cancelled'))
);

CREATE INDEX "ix_files_expiry" ON "files" ("expires_at") WHERE expires_at is not null;

CREATE INDEX "ix_files_tenant" ON "files" ("tenant", "id");

CREATE INDEX "ix_upload_parts_upload" ON "upload_parts" ("upload_id");

CREATE INDEX "ix_uploads_expiry" ON "uploads" ("expires_at");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261123142207_Files', '10.0.15');

ALTER TABLE "items" ADD "chat" TEXT NULL;

CREATE TABLE "audit" (
    "number" INTEGER NOT NULL CONSTRAINT "PK_audit" PRIMARY KEY,
    "at" INTEGER NOT NULL,
    "actor" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "request_id" TEXT NULL,
    "details" TEXT NULL,
    "hash" TEXT NOT NULL
);

CREATE TABLE "batches" (
    "id" TEXT NOT NULL CONSTRAINT "PK_batches" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "job_id" INTEGER NOT NULL,
    "input_file_id" TEXT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "completion_window" TEXT NOT NULL,
    "metadata" TEXT NULL,
    "output_lifetime" INTEGER NULL,
    "created_at" INTEGER NOT NULL,
    "cancelling_at" INTEGER NULL,
    "findings" TEXT NULL,
    "output_file_id" TEXT NULL,
    "error_file_id" TEXT NULL,
    "published_at" INTEGER NULL
);

CREATE TABLE "reviews" (
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "review_no" INTEGER NOT NULL,
    "verdict" TEXT NOT NULL,
    "text" TEXT NULL,
    "original" TEXT NULL,
    "reviewer" TEXT NOT NULL,
    "created_at" INTEGER NOT NULL,
    "latest" INTEGER NOT NULL,
    CONSTRAINT "PK_reviews" PRIMARY KEY ("job_id", "item_no", "review_no"),
    CONSTRAINT "ck_reviews_verdict" CHECK (verdict in ('accepted', 'edited', 'rejected'))
);

CREATE TABLE "sign_ins" (
    "id" TEXT NOT NULL CONSTRAINT "PK_sign_ins" PRIMARY KEY,
    "key_id" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    "expires_at" INTEGER NOT NULL,
    "ended_at" INTEGER NULL
);

CREATE TABLE "training_checkpoints" (
    "run_id" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    CONSTRAINT "PK_training_checkpoints" PRIMARY KEY ("run_id", "step")
);

CREATE TABLE "training_events" (
    "run_id" TEXT NOT NULL,
    "event_no" INTEGER NOT NULL,
    "level" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "data" TEXT NULL,
    "created_at" INTEGER NOT NULL,
    CONSTRAINT "PK_training_events" PRIMARY KEY ("run_id", "event_no")
);

CREATE TABLE "training_metrics" (
    "run_id" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "loss" REAL NOT NULL,
    "accuracy" REAL NOT NULL,
    "learning_rate" REAL NOT NULL,
    "gradient_norm" REAL NOT NULL,
    "tokens" INTEGER NOT NULL,
    "tokens_per_second" REAL NOT NULL,
    "valid_loss" REAL NULL,
    "valid_accuracy" REAL NULL,
    "created_at" INTEGER NOT NULL,
    CONSTRAINT "PK_training_metrics" PRIMARY KEY ("run_id", "step")
);

CREATE TABLE "training_runs" (
    "id" TEXT NOT NULL CONSTRAINT "PK_training_runs" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "priority" INTEGER NOT NULL,
    "request" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "resolved" TEXT NULL,
    "findings" TEXT NULL,
    "step" INTEGER NOT NULL,
    "steps" INTEGER NULL,
    "estimated_finish" INTEGER NULL,
    "created_at" INTEGER NOT NULL,
    "started_at" INTEGER NULL,
    "finished_at" INTEGER NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "error_param" TEXT NULL,
    "result_file" TEXT NULL,
    "model_deleted_at" INTEGER NULL,
    "owner" TEXT NULL,
    "fence" INTEGER NOT NULL,
    "lease_until" INTEGER NULL,
    "losses" INTEGER NOT NULL,
    "events" INTEGER NOT NULL,
    CONSTRAINT "ck_training_runs_state" CHECK (state in ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'))
);

CREATE TABLE "webhook_deliveries" (
    "id" TEXT NOT NULL CONSTRAINT "PK_webhook_deliveries" PRIMARY KEY,
    "webhook_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "next_at" INTEGER NOT NULL,
    "give_up_at" INTEGER NOT NULL,
    "tried_at" INTEGER NULL,
    "status" INTEGER NULL,
    "error" TEXT NULL,
    CONSTRAINT "ck_webhook_deliveries_state" CHECK (state in ('pending', 'delivered', 'dead'))
);

CREATE TABLE "webhooks" (
    "id" TEXT NOT NULL CONSTRAINT "PK_webhooks" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "events" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "former_secret" TEXT NULL,
    "former_until" INTEGER NULL,
    "created_at" INTEGER NOT NULL
);

CREATE INDEX "ix_results_confidence" ON "results" ("job_id", "confidence", "item_no") WHERE confidence is not null;

CREATE INDEX "ix_results_finished" ON "results" ("finished_at");

CREATE INDEX "ix_items_category" ON "items" ("job_id", "category", "item_no") WHERE category is not null;

CREATE INDEX "ix_audit_target" ON "audit" ("target", "number");

CREATE INDEX "ix_batches_tenant" ON "batches" ("tenant", "id");

CREATE INDEX "ix_batches_unpublished" ON "batches" ("job_id") WHERE published_at is null;

CREATE UNIQUE INDEX "ux_batches_job" ON "batches" ("job_id");

CREATE INDEX "ix_reviews_verdict" ON "reviews" ("job_id", "verdict", "item_no") WHERE latest;

CREATE UNIQUE INDEX "ux_reviews_latest" ON "reviews" ("job_id", "item_no") WHERE latest;

CREATE INDEX "ix_training_runs_tenant" ON "training_runs" ("tenant", "id");

CREATE INDEX "ix_training_runs_waiting" ON "training_runs" ("priority", "id") WHERE state in ('validating_files', 'queued', 'running');

CREATE UNIQUE INDEX "ux_training_runs_model" ON "training_runs" ("model");

CREATE INDEX "ix_webhook_deliveries_due" ON "webhook_deliveries" ("next_at") WHERE state = 'pending';

CREATE INDEX "ix_webhook_deliveries_webhook" ON "webhook_deliveries" ("webhook_id", "id");

CREATE INDEX "ix_webhooks_tenant" ON "webhooks" ("tenant");

create trigger audit_is_not_changed before update on audit
begin
  select raise(abort, 'Lines of the audit log are only ever added.');
end;
create trigger audit_is_not_deleted before delete on audit
begin
  select raise(abort, 'Lines of the audit log are only ever added.');
end;


INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261128052156_AccessBatchesReviewsTraining', '10.0.15');

ALTER TABLE "jobs" ADD "sample_chunk" INTEGER NULL;

ALTER TABLE "jobs" ADD "sample_result" TEXT NULL;

CREATE TABLE "expected_answers" (
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "text" TEXT NOT NULL,
    CONSTRAINT "PK_expected_answers" PRIMARY KEY ("job_id", "item_no")
);

CREATE TABLE "schedule_runs" (
    "run_id" TEXT NOT NULL CONSTRAINT "PK_schedule_runs" PRIMARY KEY,
    "schedule_id" INTEGER NOT NULL,
    "training_file" TEXT NOT NULL
);

CREATE INDEX "ix_schedule_runs_schedule" ON "schedule_runs" ("schedule_id", "run_id");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261128072752_SamplesAndScheduledRuns', '10.0.15');

ALTER TABLE "items" ADD "model" TEXT NULL;

ALTER TABLE "chunks" ADD "model" TEXT NULL;

CREATE INDEX "ix_chunks_model" ON "chunks" ("job_id", "model") WHERE model is not null;

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261128110223_MixedModels', '10.0.15');

CREATE TABLE "promotions" (
    "run_id" TEXT NOT NULL CONSTRAINT "PK_promotions" PRIMARY KEY,
    "tenant" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "holds" INTEGER NULL,
    "reason" TEXT NULL,
    "decided_at" INTEGER NULL
);

CREATE INDEX "ix_promotions_name" ON "promotions" ("tenant", "name", "decided_at") WHERE holds;

CREATE INDEX "ix_promotions_waiting" ON "promotions" ("run_id") WHERE decided_at is null;

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261128113243_Promotion', '10.0.15');

CREATE TABLE "ef_temp_webhook_deliveries" (
    "id" TEXT NOT NULL CONSTRAINT "PK_webhook_deliveries" PRIMARY KEY,
    "attempts" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "error" TEXT NULL,
    "event_id" TEXT NOT NULL,
    "give_up_at" INTEGER NOT NULL,
    "next_at" INTEGER NOT NULL,
    "payload" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "status" INTEGER NULL,
    "tried_at" INTEGER NULL,
    "type" TEXT NOT NULL,
    "webhook_id" TEXT NOT NULL,
    CONSTRAINT "ck_webhook_deliveries_state" CHECK (state = 'pending' or state = 'delivered' or state = 'dead')
);

INSERT INTO "ef_temp_webhook_deliveries" ("id", "attempts", "created_at", "error", "event_id", "give_up_at", "next_at", "payload", "state", "status", "tried_at", "type", "webhook_id")
SELECT "id", "attempts", "created_at", "error", "event_id", "give_up_at", "next_at", "payload", "state", "status", "tried_at", "type", "webhook_id"
FROM "webhook_deliveries";

CREATE TABLE "ef_temp_uploads" (
    "id" TEXT NOT NULL CONSTRAINT "PK_uploads" PRIMARY KEY,
    "bytes" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "expires_at" INTEGER NOT NULL,
    "file_id" TEXT NULL,
    "lifetime" INTEGER NULL,
    "name" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    CONSTRAINT "ck_uploads_state" CHECK (state = 'pending' or state = 'completed' or state = 'cancelled')
);

INSERT INTO "ef_temp_uploads" ("id", "bytes", "created_at", "expires_at", "file_id", "lifetime", "name", "purpose", "state", "tenant")
SELECT "id", "bytes", "created_at", "expires_at", "file_id", "lifetime", "name", "purpose", "state", "tenant"
FROM "uploads";

CREATE TABLE "ef_temp_training_runs" (
    "id" TEXT NOT NULL CONSTRAINT "PK_training_runs" PRIMARY KEY,
    "created_at" INTEGER NOT NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "error_param" TEXT NULL,
    "estimated_finish" INTEGER NULL,
    "events" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "findings" TEXT NULL,
    "finished_at" INTEGER NULL,
    "lease_until" INTEGER NULL,
    "losses" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "model_deleted_at" INTEGER NULL,
    "owner" TEXT NULL,
    "priority" INTEGER NOT NULL,
    "request" TEXT NOT NULL,
    "resolved" TEXT NULL,
    "result_file" TEXT NULL,
    "started_at" INTEGER NULL,
    "state" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "steps" INTEGER NULL,
    "tenant" TEXT NOT NULL,
    CONSTRAINT "ck_training_runs_state" CHECK (state = 'validating_files' or state = 'queued' or state = 'running' or state = 'paused' or state = 'succeeded' or state = 'failed' or state = 'cancelled')
);

INSERT INTO "ef_temp_training_runs" ("id", "created_at", "error_code", "error_message", "error_param", "estimated_finish", "events", "fence", "findings", "finished_at", "lease_until", "losses", "model", "model_deleted_at", "owner", "priority", "request", "resolved", "result_file", "started_at", "state", "step", "steps", "tenant")
SELECT "id", "created_at", "error_code", "error_message", "error_param", "estimated_finish", "events", "fence", "findings", "finished_at", "lease_until", "losses", "model", "model_deleted_at", "owner", "priority", "request", "resolved", "result_file", "started_at", "state", "step", "steps", "tenant"
FROM "training_runs";

CREATE TABLE "ef_temp_reviews" (
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "review_no" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "latest" INTEGER NOT NULL,
    "original" TEXT NULL,
    "reviewer" TEXT NOT NULL,
    "text" TEXT NULL,
    "verdict" TEXT NOT NULL,
    CONSTRAINT "PK_reviews" PRIMARY KEY ("job_id", "item_no", "review_no"),
    CONSTRAINT "ck_reviews_verdict" CHECK (verdict = 'accepted' or verdict = 'edited' or verdict = 'rejected')
);

INSERT INTO "ef_temp_reviews" ("job_id", "item_no", "review_no", "created_at", "latest", "original", "reviewer", "text", "verdict")
SELECT "job_id", "item_no", "review_no", "created_at", "latest", "original", "reviewer", "text", "verdict"
FROM "reviews";

CREATE TABLE "ef_temp_results" (
    "job_id" INTEGER NOT NULL,
    "item_no" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL,
    "cached_tokens" INTEGER NOT NULL,
    "claimed_at" INTEGER NULL,
    "completion_tokens" INTEGER NOT NULL,
    "confidence" REAL NULL,
    "decode_ms" REAL NOT NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "finish_reason" TEXT NULL,
    "finished_at" INTEGER NOT NULL,
    "model_revision" TEXT NULL,
    "outcome" TEXT NOT NULL,
    "prefill_ms" REAL NOT NULL,
    "prepare_ms" REAL NULL,
    "prompt_tokens" INTEGER NOT NULL,
    "queue_ms" REAL NOT NULL,
    "queued_at" INTEGER NULL,
    "source_item_no" INTEGER NULL,
    "source_job_id" INTEGER NULL,
    "text" TEXT NULL,
    "worker" TEXT NULL,
    CONSTRAINT "PK_results" PRIMARY KEY ("job_id", "item_no"),
    CONSTRAINT "ck_results_outcome" CHECK (outcome = 'succeeded' or outcome = 'failed' or outcome = 'cancelled' or outcome = 'expired')
);

INSERT INTO "ef_temp_results" ("job_id", "item_no", "attempts", "cached_tokens", "claimed_at", "completion_tokens", "confidence", "decode_ms", "error_code", "error_message", "finish_reason", "finished_at", "model_revision", "outcome", "prefill_ms", "prepare_ms", "prompt_tokens", "queue_ms", "queued_at", "source_item_no", "source_job_id", "text", "worker")
SELECT "job_id", "item_no", "attempts", "cached_tokens", "claimed_at", "completion_tokens", "confidence", "decode_ms", "error_code", "error_message", "finish_reason", "finished_at", "model_revision", "outcome", "prefill_ms", "prepare_ms", "prompt_tokens", "queue_ms", "queued_at", "source_item_no", "source_job_id", "text", "worker"
FROM "results";

CREATE TABLE "ef_temp_parts" (
    "job_id" INTEGER NOT NULL,
    "part_no" INTEGER NOT NULL,
    "created_at" INTEGER NOT NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "first_item" INTEGER NULL,
    "idempotency_key" TEXT NULL,
    "item_count" INTEGER NOT NULL,
    "position" TEXT NULL,
    "source" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    CONSTRAINT "PK_parts" PRIMARY KEY ("job_id", "part_no"),
    CONSTRAINT "ck_parts_state" CHECK (state = 'waiting' or state = 'done' or state = 'failed')
);

INSERT INTO "ef_temp_parts" ("job_id", "part_no", "created_at", "error_code", "error_message", "first_item", "idempotency_key", "item_count", "position", "source", "state")
SELECT "job_id", "part_no", "created_at", "error_code", "error_message", "first_item", "idempotency_key", "item_count", "position", "source", "state"
FROM "parts";

CREATE TABLE "ef_temp_jobs" (
    "id" INTEGER NOT NULL CONSTRAINT "PK_jobs" PRIMARY KEY,
    "announced_at" INTEGER NULL,
    "created_at" INTEGER NOT NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "expanded_at" INTEGER NULL,
    "expires_at" INTEGER NULL,
    "final_progress" TEXT NULL,
    "finished_at" INTEGER NULL,
    "idempotency_key" TEXT NULL,
    "item_count" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "open" INTEGER NOT NULL,
    "priority" INTEGER NOT NULL,
    "reported_at" INTEGER NULL,
    "reported_items" INTEGER NULL,
    "request" TEXT NOT NULL,
    "sample_chunk" INTEGER NULL,
    "sample_result" TEXT NULL,
    "source_position" TEXT NULL,
    "started_at" INTEGER NULL,
    "state" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "trace_parent" TEXT NULL,
    CONSTRAINT "ck_jobs_state" CHECK (state = 'validating' or state = 'queued' or state = 'running' or state = 'paused' or state = 'finalizing' or state = 'completed' or state = 'cancelling' or state = 'cancelled' or state = 'failed' or state = 'expired')
);

INSERT INTO "ef_temp_jobs" ("id", "announced_at", "created_at", "error_code", "error_message", "expanded_at", "expires_at", "final_progress", "finished_at", "idempotency_key", "item_count", "model", "open", "priority", "reported_at", "reported_items", "request", "sample_chunk", "sample_result", "source_position", "started_at", "state", "tenant", "trace_parent")
SELECT "id", "announced_at", "created_at", "error_code", "error_message", "expanded_at", "expires_at", "final_progress", "finished_at", "idempotency_key", "item_count", "model", "open", "priority", "reported_at", "reported_items", "request", "sample_chunk", "sample_result", "source_position", "started_at", "state", "tenant", "trace_parent"
FROM "jobs";

CREATE TABLE "ef_temp_chunks" (
    "job_id" INTEGER NOT NULL,
    "chunk_no" INTEGER NOT NULL,
    "attempts" INTEGER NOT NULL,
    "claimed_at" INTEGER NULL,
    "error" TEXT NULL,
    "fence" INTEGER NOT NULL,
    "first_item" INTEGER NOT NULL,
    "item_count" INTEGER NOT NULL,
    "lease_until" INTEGER NULL,
    "model" TEXT NULL,
    "owner" TEXT NULL,
    "published_at" INTEGER NULL,
    "state" TEXT NOT NULL,
    "tokens" INTEGER NOT NULL,
    CONSTRAINT "PK_chunks" PRIMARY KEY ("job_id", "chunk_no"),
    CONSTRAINT "ck_chunks_state" CHECK (state = 'open' or state = 'leased' or state = 'done')
);

INSERT INTO "ef_temp_chunks" ("job_id", "chunk_no", "attempts", "claimed_at", "error", "fence", "first_item", "item_count", "lease_until", "model", "owner", "published_at", "state", "tokens")
SELECT "job_id", "chunk_no", "attempts", "claimed_at", "error", "fence", "first_item", "item_count", "lease_until", "model", "owner", "published_at", "state", "tokens"
FROM "chunks";

CREATE TABLE "ef_temp_attempts" (
    "job_id" INTEGER NOT NULL,
    "chunk_no" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "ending" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "ended_at" INTEGER NOT NULL,
    "error" TEXT NULL,
    "first_item" INTEGER NOT NULL,
    "item_count" INTEGER NOT NULL,
    "started_at" INTEGER NOT NULL,
    "worker" TEXT NULL,
    CONSTRAINT "PK_attempts" PRIMARY KEY ("job_id", "chunk_no", "fence", "ending"),
    CONSTRAINT "ck_attempts_ending" CHECK (ending = 'given_back' or ending = 'failed' or ending = 'lease_expired' or ending = 'worker_died' or ending = 'halved' or ending = 'job_expired')
);

INSERT INTO "ef_temp_attempts" ("job_id", "chunk_no", "fence", "ending", "attempt", "ended_at", "error", "first_item", "item_count", "started_at", "worker")
SELECT "job_id", "chunk_no", "fence", "ending", "attempt", "ended_at", "error", "first_item", "item_count", "started_at", "worker"
FROM "attempts";

CREATE TABLE "ef_temp_api_keys" (
    "id" TEXT NOT NULL CONSTRAINT "PK_api_keys" PRIMARY KEY,
    "created_at" INTEGER NOT NULL,
    "expires_at" INTEGER NULL,
    "last_used_at" INTEGER NULL,
    "name" TEXT NOT NULL,
    "revoked_at" INTEGER NULL,
    "role" TEXT NOT NULL,
    "secret_hash" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    CONSTRAINT "ck_api_keys_role" CHECK (role = 'viewer' or role = 'operator' or role = 'admin')
);

INSERT INTO "ef_temp_api_keys" ("id", "created_at", "expires_at", "last_used_at", "name", "revoked_at", "role", "secret_hash", "tenant")
SELECT "id", "created_at", "expires_at", "last_used_at", "name", "revoked_at", "role", "secret_hash", "tenant"
FROM "api_keys";

PRAGMA foreign_keys = 0;

DROP TABLE "webhook_deliveries";

ALTER TABLE "ef_temp_webhook_deliveries" RENAME TO "webhook_deliveries";

DROP TABLE "uploads";

ALTER TABLE "ef_temp_uploads" RENAME TO "uploads";

DROP TABLE "training_runs";

ALTER TABLE "ef_temp_training_runs" RENAME TO "training_runs";

DROP TABLE "reviews";

ALTER TABLE "ef_temp_reviews" RENAME TO "reviews";

DROP TABLE "results";

ALTER TABLE "ef_temp_results" RENAME TO "results";

DROP TABLE "parts";

ALTER TABLE "ef_temp_parts" RENAME TO "parts";

DROP TABLE "jobs";

ALTER TABLE "ef_temp_jobs" RENAME TO "jobs";

DROP TABLE "chunks";

ALTER TABLE "ef_temp_chunks" RENAME TO "chunks";

DROP TABLE "attempts";

ALTER TABLE "ef_temp_attempts" RENAME TO "attempts";

DROP TABLE "api_keys";

ALTER TABLE "ef_temp_api_keys" RENAME TO "api_keys";

PRAGMA foreign_keys = 1;

CREATE INDEX "ix_webhook_deliveries_due" ON "webhook_deliveries" ("next_at") WHERE state = 'pending';

CREATE INDEX "ix_webhook_deliveries_webhook" ON "webhook_deliveries" ("webhook_id", "id");

CREATE INDEX "ix_uploads_expiry" ON "uploads" ("expires_at");

CREATE INDEX "ix_training_runs_tenant" ON "training_runs" ("tenant", "id");

CREATE INDEX "ix_training_runs_waiting" ON "training_runs" ("priority", "id") WHERE state in ('validating_files', 'queued', 'running');

CREATE UNIQUE INDEX "ux_training_runs_model" ON "training_runs" ("model");

CREATE INDEX "ix_reviews_verdict" ON "reviews" ("job_id", "verdict", "item_no") WHERE latest;

CREATE UNIQUE INDEX "ux_reviews_latest" ON "reviews" ("job_id", "item_no") WHERE latest;

CREATE INDEX "ix_results_confidence" ON "results" ("job_id", "confidence", "item_no") WHERE confidence is not null;

CREATE INDEX "ix_results_error" ON "results" ("job_id", "error_code") WHERE error_code is not null;

CREATE INDEX "ix_results_finished" ON "results" ("finished_at");

CREATE INDEX "ix_parts_waiting" ON "parts" ("job_id", "part_no") WHERE state = 'waiting';

CREATE UNIQUE INDEX "ux_parts_idempotency" ON "parts" ("job_id", "idempotency_key") WHERE idempotency_key is not null;

CREATE INDEX "ix_jobs_state" ON "jobs" ("state", "model");

CREATE INDEX "ix_jobs_unannounced" ON "jobs" ("finished_at") WHERE announced_at is null;

CREATE UNIQUE INDEX "ux_jobs_idempotency" ON "jobs" ("tenant", "idempotency_key") WHERE idempotency_key is not null;

CREATE INDEX "ix_chunks_model" ON "chunks" ("job_id", "model") WHERE model is not null;

CREATE INDEX "ix_chunks_unfinished" ON "chunks" ("job_id", "published_at", "chunk_no") WHERE state <> 'done';

CREATE INDEX "ix_attempts_ended" ON "attempts" ("job_id", "ended_at");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261128140324_CheaperChecks', '10.0.15');

ALTER TABLE "workers" ADD "bases" TEXT NOT NULL DEFAULT '[]';

ALTER TABLE "training_runs" ADD "previous_id" TEXT NULL;

ALTER TABLE "training_metrics" ADD "waited" REAL NOT NULL DEFAULT 0.0;

CREATE INDEX "ix_training_runs_previous" ON "training_runs" ("previous_id") WHERE previous_id is not null;

CREATE TABLE "ef_temp_training_runs" (
    "id" TEXT NOT NULL CONSTRAINT "PK_training_runs" PRIMARY KEY,
    "created_at" INTEGER NOT NULL,
    "error_code" TEXT NULL,
    "error_message" TEXT NULL,
    "error_param" TEXT NULL,
    "estimated_finish" INTEGER NULL,
    "events" INTEGER NOT NULL,
    "fence" INTEGER NOT NULL,
    "findings" TEXT NULL,
    "finished_at" INTEGER NULL,
    "lease_until" INTEGER NULL,
    "losses" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "model_deleted_at" INTEGER NULL,
    "owner" TEXT NULL,
    "previous_id" TEXT NULL,
    "priority" INTEGER NOT NULL,
    "request" TEXT NOT NULL,
    "resolved" TEXT NULL,
    "result_file" TEXT NULL,
    "started_at" INTEGER NULL,
    "state" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "steps" INTEGER NULL,
    "tenant" TEXT NOT NULL,
    CONSTRAINT "ck_training_runs_state" CHECK (state = 'waiting' or state = 'validating_files' or state = 'queued' or state = 'running' or state = 'paused' or state = 'succeeded' or state = 'failed' or state = 'cancelled')
);

INSERT INTO "ef_temp_training_runs" ("id", "created_at", "error_code", "error_message", "error_param", "estimated_finish", "events", "fence", "findings", "finished_at", "lease_until", "losses", "model", "model_deleted_at", "owner", "previous_id", "priority", "request", "resolved", "result_file", "started_at", "state", "step", "steps", "tenant")
SELECT "id", "created_at", "error_code", "error_message", "error_param", "estimated_finish", "events", "fence", "findings", "finished_at", "lease_until", "losses", "model", "model_deleted_at", "owner", "previous_id", "priority", "request", "resolved", "result_file", "started_at", "state", "step", "steps", "tenant"
FROM "training_runs";

PRAGMA foreign_keys = 0;

DROP TABLE "training_runs";

ALTER TABLE "ef_temp_training_runs" RENAME TO "training_runs";

PRAGMA foreign_keys = 1;

CREATE INDEX "ix_training_runs_previous" ON "training_runs" ("previous_id") WHERE previous_id is not null;

CREATE INDEX "ix_training_runs_tenant" ON "training_runs" ("tenant", "id");

CREATE INDEX "ix_training_runs_waiting" ON "training_runs" ("priority", "id") WHERE state in ('validating_files', 'queued', 'running');

CREATE UNIQUE INDEX "ux_training_runs_model" ON "training_runs" ("model");

INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")
VALUES ('20261128173944_TrainingChains', '10.0.15');
