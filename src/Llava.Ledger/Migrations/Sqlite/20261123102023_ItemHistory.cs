using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class ItemHistory : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "claimed_at",
                table: "results",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "prepare_ms",
                table: "results",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "queued_at",
                table: "results",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "source_item_no",
                table: "results",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "source_job_id",
                table: "results",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "reported_at",
                table: "jobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "reported_items",
                table: "jobs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "claimed_at",
                table: "chunks",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "attempts",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    chunk_no = table.Column<int>(type: "INTEGER", nullable: false),
                    fence = table.Column<int>(type: "INTEGER", nullable: false),
                    ending = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    first_item = table.Column<int>(type: "INTEGER", nullable: false),
                    item_count = table.Column<int>(type: "INTEGER", nullable: false),
                    worker = table.Column<string>(type: "TEXT", nullable: true),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    ended_at = table.Column<long>(type: "INTEGER", nullable: false),
                    error = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_attempts", x => new { x.job_id, x.chunk_no, x.fence, x.ending });
                    table.CheckConstraint("ck_attempts_ending", "ending in ('given_back', 'failed', 'lease_expired', 'worker_died', 'halved', 'job_expired')");
                });

            migrationBuilder.CreateTable(
                name: "result_cache",
                columns: table => new
                {
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    scope_job_id = table.Column<long>(type: "INTEGER", nullable: true),
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    item_no = table.Column<int>(type: "INTEGER", nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: true),
                    finish_reason = table.Column<string>(type: "TEXT", nullable: true),
                    confidence = table.Column<double>(type: "REAL", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    used_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_result_cache", x => x.key);
                });

            migrationBuilder.CreateIndex(
                name: "ix_attempts_ended",
                table: "attempts",
                columns: new[] { "job_id", "ended_at" });

            migrationBuilder.CreateIndex(
                name: "ix_result_cache_scope",
                table: "result_cache",
                column: "scope_job_id",
                filter: "scope_job_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_result_cache_used",
                table: "result_cache",
                column: "used_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempts");

            migrationBuilder.DropTable(
                name: "result_cache");

            migrationBuilder.DropColumn(
                name: "claimed_at",
                table: "results");

            migrationBuilder.DropColumn(
                name: "prepare_ms",
                table: "results");

            migrationBuilder.DropColumn(
                name: "queued_at",
                table: "results");

            migrationBuilder.DropColumn(
                name: "source_item_no",
                table: "results");

            migrationBuilder.DropColumn(
                name: "source_job_id",
                table: "results");

            migrationBuilder.DropColumn(
                name: "reported_at",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "reported_items",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "claimed_at",
                table: "chunks");
        }
    }
}
