using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class CheaperChecks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_webhook_deliveries_state",
                table: "webhook_deliveries");

            migrationBuilder.DropCheckConstraint(
                name: "ck_uploads_state",
                table: "uploads");

            migrationBuilder.DropCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs");

            migrationBuilder.DropCheckConstraint(
                name: "ck_reviews_verdict",
                table: "reviews");

            migrationBuilder.DropCheckConstraint(
                name: "ck_results_outcome",
                table: "results");

            migrationBuilder.DropCheckConstraint(
                name: "ck_parts_state",
                table: "parts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_jobs_state",
                table: "jobs");

            migrationBuilder.DropCheckConstraint(
                name: "ck_chunks_state",
                table: "chunks");

            migrationBuilder.DropCheckConstraint(
                name: "ck_attempts_ending",
                table: "attempts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_api_keys_role",
                table: "api_keys");

            migrationBuilder.AddCheckConstraint(
                name: "ck_webhook_deliveries_state",
                table: "webhook_deliveries",
                sql: "state = 'pending' or state = 'delivered' or state = 'dead'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_uploads_state",
                table: "uploads",
                sql: "state = 'pending' or state = 'completed' or state = 'cancelled'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs",
                sql: "state = 'validating_files' or state = 'queued' or state = 'running' or state = 'paused' or state = 'succeeded' or state = 'failed' or state = 'cancelled'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_reviews_verdict",
                table: "reviews",
                sql: "verdict = 'accepted' or verdict = 'edited' or verdict = 'rejected'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_results_outcome",
                table: "results",
                sql: "outcome = 'succeeded' or outcome = 'failed' or outcome = 'cancelled' or outcome = 'expired'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_parts_state",
                table: "parts",
                sql: "state = 'waiting' or state = 'done' or state = 'failed'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_jobs_state",
                table: "jobs",
                sql: "state = 'validating' or state = 'queued' or state = 'running' or state = 'paused' or state = 'finalizing' or state = 'completed' or state = 'cancelling' or state = 'cancelled' or state = 'failed' or state = 'expired'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_chunks_state",
                table: "chunks",
                sql: "state = 'open' or state = 'leased' or state = 'done'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_attempts_ending",
                table: "attempts",
                sql: "ending = 'given_back' or ending = 'failed' or ending = 'lease_expired' or ending = 'worker_died' or ending = 'halved' or ending = 'job_expired'");

            migrationBuilder.AddCheckConstraint(
                name: "ck_api_keys_role",
                table: "api_keys",
                sql: "role = 'viewer' or role = 'operator' or role = 'admin'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_webhook_deliveries_state",
                table: "webhook_deliveries");

            migrationBuilder.DropCheckConstraint(
                name: "ck_uploads_state",
                table: "uploads");

            migrationBuilder.DropCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs");

            migrationBuilder.DropCheckConstraint(
                name: "ck_reviews_verdict",
                table: "reviews");

            migrationBuilder.DropCheckConstraint(
                name: "ck_results_outcome",
                table: "results");

            migrationBuilder.DropCheckConstraint(
                name: "ck_parts_state",
                table: "parts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_jobs_state",
                table: "jobs");

            migrationBuilder.DropCheckConstraint(
                name: "ck_chunks_state",
                table: "chunks");

            migrationBuilder.DropCheckConstraint(
                name: "ck_attempts_ending",
                table: "attempts");

            migrationBuilder.DropCheckConstraint(
                name: "ck_api_keys_role",
                table: "api_keys");

            migrationBuilder.AddCheckConstraint(
                name: "ck_webhook_deliveries_state",
                table: "webhook_deliveries",
                sql: "state in ('pending', 'delivered', 'dead')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_uploads_state",
                table: "uploads",
                sql: "state in ('pending', 'completed', 'cancelled')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs",
                sql: "state in ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_reviews_verdict",
                table: "reviews",
                sql: "verdict in ('accepted', 'edited', 'rejected')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_results_outcome",
                table: "results",
                sql: "outcome in ('succeeded', 'failed', 'cancelled', 'expired')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_parts_state",
                table: "parts",
                sql: "state in ('waiting', 'done', 'failed')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_jobs_state",
                table: "jobs",
                sql: "state in ('validating', 'queued', 'running', 'paused', 'finalizing', 'completed', 'cancelling', 'cancelled', 'failed', 'expired')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_chunks_state",
                table: "chunks",
                sql: "state in ('open', 'leased', 'done')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_attempts_ending",
                table: "attempts",
                sql: "ending in ('given_back', 'failed', 'lease_expired', 'worker_died', 'halved', 'job_expired')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_api_keys_role",
                table: "api_keys",
                sql: "role in ('viewer', 'operator', 'admin')");
        }
    }
}
