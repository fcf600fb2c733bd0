using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class InitialLedger : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "llava");

            migrationBuilder.CreateTable(
                name: "chunks",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    chunk_no = table.Column<int>(type: "integer", nullable: false),
                    first_item = table.Column<int>(type: "integer", nullable: false),
                    item_count = table.Column<int>(type: "integer", nullable: false),
                    tokens = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    fence = table.Column<int>(type: "integer", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: true),
                    lease_until = table.Column<long>(type: "bigint", nullable: true),
                    published_at = table.Column<long>(type: "bigint", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chunks", x => new { x.job_id, x.chunk_no });
                    table.CheckConstraint("ck_chunks_state", "state in ('open', 'leased', 'done')");
                });

            migrationBuilder.CreateTable(
                name: "items",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    item_no = table.Column<int>(type: "integer", nullable: false),
                    custom_id = table.Column<string>(type: "text", nullable: false),
                    images = table.Column<string>(type: "text", nullable: false),
                    prompt = table.Column<string>(type: "text", nullable: true),
                    category = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_items", x => new { x.job_id, x.item_no });
                });

            migrationBuilder.CreateTable(
                name: "jobs",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    priority = table.Column<int>(type: "integer", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    request = table.Column<string>(type: "text", nullable: false),
                    idempotency_key = table.Column<string>(type: "text", nullable: true),
                    source_position = table.Column<string>(type: "text", nullable: true),
                    item_count = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expanded_at = table.Column<long>(type: "bigint", nullable: true),
                    started_at = table.Column<long>(type: "bigint", nullable: true),
                    finished_at = table.Column<long>(type: "bigint", nullable: true),
                    expires_at = table.Column<long>(type: "bigint", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    final_progress = table.Column<string>(type: "text", nullable: true),
                    announced_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_jobs", x => x.id);
                    table.CheckConstraint("ck_jobs_state", "state in ('validating', 'queued', 'running', 'paused', 'finalizing', 'completed', 'cancelling', 'cancelled', 'failed', 'expired')");
                });

            migrationBuilder.CreateTable(
                name: "results",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    item_no = table.Column<int>(type: "integer", nullable: false),
                    outcome = table.Column<string>(type: "text", nullable: false),
                    text = table.Column<string>(type: "text", nullable: true),
                    finish_reason = table.Column<string>(type: "text", nullable: true),
                    prompt_tokens = table.Column<int>(type: "integer", nullable: false),
                    completion_tokens = table.Column<int>(type: "integer", nullable: false),
                    cached_tokens = table.Column<int>(type: "integer", nullable: false),
                    queue_ms = table.Column<double>(type: "double precision", nullable: false),
                    prefill_ms = table.Column<double>(type: "double precision", nullable: false),
                    decode_ms = table.Column<double>(type: "double precision", nullable: false),
                    confidence = table.Column<double>(type: "double precision", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true),
                    model_revision = table.Column<string>(type: "text", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    finished_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_results", x => new { x.job_id, x.item_no });
                    table.CheckConstraint("ck_results_outcome", "outcome in ('succeeded', 'failed', 'cancelled', 'expired')");
                });

            migrationBuilder.CreateTable(
                name: "workers",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    process_id = table.Column<int>(type: "integer", nullable: false),
                    process_started_at = table.Column<long>(type: "bigint", nullable: false),
                    models = table.Column<string>(type: "text", nullable: false),
                    draining = table.Column<bool>(type: "boolean", nullable: false),
                    registered_at = table.Column<long>(type: "bigint", nullable: false),
                    heartbeat_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_workers", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_chunks_unfinished",
                schema: "llava",
                table: "chunks",
                columns: new[] { "job_id", "published_at", "chunk_no" },
                filter: "state <> 'done'");

            migrationBuilder.CreateIndex(
                name: "ix_jobs_state",
                schema: "llava",
                table: "jobs",
                columns: new[] { "state", "model" });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_unannounced",
                schema: "llava",
                table: "jobs",
                column: "finished_at",
                filter: "announced_at is null");

            migrationBuilder.CreateIndex(
                name: "ux_jobs_idempotency",
                schema: "llava",
                table: "jobs",
                columns: new[] { "tenant", "idempotency_key" },
                unique: true,
                filter: "idempotency_key is not null");

            migrationBuilder.CreateIndex(
                name: "ix_results_error",
                schema: "llava",
                table: "results",
                columns: new[] { "job_id", "error_code" },
                filter: "error_code is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "chunks",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "items",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "jobs",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "results",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "workers",
                schema: "llava");
        }
    }
}
