using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class TrainingChains : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_training_runs_state",
                schema: "llava",
                table: "training_runs");

            migrationBuilder.AddColumn<string>(
                name: "bases",
                schema: "llava",
                table: "workers",
                type: "text",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AddColumn<string>(
                name: "previous_id",
                schema: "llava",
                table: "training_runs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "waited",
                schema: "llava",
                table: "training_metrics",
                type: "double precision",
                nullable: false,
                defaultValue: 0.0);

            migrationBuilder.CreateIndex(
                name: "ix_training_runs_previous",
                schema: "llava",
                table: "training_runs",
                column: "previous_id",
                filter: "previous_id is not null");

            migrationBuilder.AddCheckConstraint(
                name: "ck_training_runs_state",
                schema: "llava",
                table: "training_runs",
                sql: "state in ('waiting', 'validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_training_runs_previous",
                schema: "llava",
                table: "training_runs");

            migrationBuilder.DropCheckConstraint(
                name: "ck_training_runs_state",
                schema: "llava",
                table: "training_runs");

            migrationBuilder.DropColumn(
                name: "bases",
                schema: "llava",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "previous_id",
                schema: "llava",
                table: "training_runs");

            migrationBuilder.DropColumn(
                name: "waited",
                schema: "llava",
                table: "training_metrics");

            migrationBuilder.AddCheckConstraint(
                name: "ck_training_runs_state",
                schema: "llava",
                table: "training_runs",
                sql: "state in ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')");
        }
    }
}
