using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class SamplesAndScheduledRuns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "sample_chunk",
                schema: "llava",
                table: "jobs",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "sample_result",
                schema: "llava",
                table: "jobs",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "expected_answers",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    item_no = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_expected_answers", x => new { x.job_id, x.item_no });
                });

            migrationBuilder.CreateTable(
                name: "schedule_runs",
                schema: "llava",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    schedule_id = table.Column<long>(type: "bigint", nullable: false),
                    training_file = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_schedule_runs", x => x.run_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_schedule_runs_schedule",
                schema: "llava",
                table: "schedule_runs",
                columns: new[] { "schedule_id", "run_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "expected_answers",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "schedule_runs",
                schema: "llava");

            migrationBuilder.DropColumn(
                name: "sample_chunk",
                schema: "llava",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "sample_result",
                schema: "llava",
                table: "jobs");
        }
    }
}
