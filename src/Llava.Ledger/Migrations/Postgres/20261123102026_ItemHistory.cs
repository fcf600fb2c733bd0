using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class ItemHistory : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "claimed_at",
                schema: "llava",
                table: "results",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "prepare_ms",
                schema: "llava",
                table: "results",
                type: "double precision",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "queued_at",
                schema: "llava",
                table: "results",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "source_item_no",
                schema: "llava",
                table: "results",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "source_job_id",
                schema: "llava",
                table: "results",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "reported_at",
                schema: "llava",
                table: "jobs",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "reported_items",
                schema: "llava",
                table: "jobs",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "claimed_at",
                schema: "llava",
                table: "chunks",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "attempts",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    chunk_no = table.Column<int>(type: "integer", nullable: false),
                    fence = table.Column<int>(type: "integer", nullable: false),
                    ending = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    first_item = table.Column<int>(type: "integer", nullable: false),
                    item_count = table.Column<int>(type: "integer", nullable: false),
                    worker = table.Column<string>(type: "text", nullable: true),
                    started_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: false),
                    error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_attempts", x => new { x.job_id, x.chunk_no, x.fence, x.ending });
                    table.CheckConstraint("ck_attempts_ending", "ending in ('given_back', 'failed', 'lease_expired', 'worker_died', 'halved', 'job_expired')");
                });

            migrationBuilder.CreateTable(
                name: "result_cache",
                schema: "llava",
                columns: table => new
                {
                    key = table.Column<string>(type: "text", nullable: false),
                    scope_job_id = table.Column<long>(type: "bigint", nullable: true),
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    item_no = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<string>(type: "text", nullable: true),
                    finish_reason = table.Column<string>(type: "text", nullable: true),
                    confidence = table.Column<double>(type: "double precision", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    used_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_result_cache", x => x.key);
                });

            migrationBuilder.CreateIndex(
                name: "ix_attempts_ended",
                schema: "llava",
                table: "attempts",
                columns: new[] { "job_id", "ended_at" });

            migrationBuilder.CreateIndex(
                name: "ix_result_cache_scope",
                schema: "llava",
                table: "result_cache",
                column: "scope_job_id",
                filter: "scope_job_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_result_cache_used",
                schema: "llava",
                table: "result_cache",
                column: "used_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempts",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "result_cache",
                schema: "llava");

            migrationBuilder.DropColumn(
                name: "claimed_at",
                schema: "llava",
                table: "results");

            migrationBuilder.DropColumn(
                name: "prepare_ms",
                schema: "llava",
                table: "results");

            migrationBuilder.DropColumn(
                name: "queued_at",
                schema: "llava",
                table: "results");

            migrationBuilder.DropColumn(
                name: "source_item_no",
                schema: "llava",
                table: "results");

            migrationBuilder.DropColumn(
                name: "source_job_id",
                schema: "llava",
                table: "results");

            migrationBuilder.DropColumn(
                name: "reported_at",
                schema: "llava",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "reported_items",
                schema: "llava",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "claimed_at",
                schema: "llava",
                table: "chunks");
        }
    }
}
