using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Schedules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "schedule_items",
                schema: "llava",
                columns: table => new
                {
                    schedule_id = table.Column<long>(type: "bigint", nullable: false),
                    key = table.Column<long>(type: "bigint", nullable: false),
                    job_id = table.Column<long>(type: "bigint", nullable: true),
                    item_no = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedule_items", x => new { x.schedule_id, x.key });
                });

            migrationBuilder.CreateTable(
                name: "schedule_jobs",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    schedule_id = table.Column<long>(type: "bigint", nullable: false),
                    only_new = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedule_jobs", x => x.job_id);
                });

            migrationBuilder.CreateTable(
                name: "schedules",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    cron = table.Column<string>(type: "text", nullable: false),
                    time_zone = table.Column<string>(type: "text", nullable: false),
                    request = table.Column<string>(type: "text", nullable: false),
                    only_new = table.Column<bool>(type: "boolean", nullable: false),
                    overlap = table.Column<string>(type: "text", nullable: false),
                    enabled = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false),
                    settled_until = table.Column<long>(type: "bigint", nullable: false),
                    last_run_at = table.Column<long>(type: "bigint", nullable: true),
                    last_job_id = table.Column<long>(type: "bigint", nullable: true),
                    last_error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedules", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_schedule_items_job",
                schema: "llava",
                table: "schedule_items",
                column: "job_id",
                filter: "job_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_schedule_jobs_schedule",
                schema: "llava",
                table: "schedule_jobs",
                columns: new[] { "schedule_id", "job_id" });

            migrationBuilder.CreateIndex(
                name: "ux_schedules_name",
                schema: "llava",
                table: "schedules",
                columns: new[] { "tenant", "name" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "schedule_items",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "schedule_jobs",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "schedules",
                schema: "llava");
        }
    }
}
