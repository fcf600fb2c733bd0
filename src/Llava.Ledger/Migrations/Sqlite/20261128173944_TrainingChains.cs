using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class TrainingChains : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs");

            migrationBuilder.AddColumn<string>(
                name: "bases",
                table: "workers",
                type: "TEXT",
                nullable: false,
                defaultValue: "[]");

            migrationBuilder.AddColumn<string>(
                name: "previous_id",
                table: "training_runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "waited",
                table: "training_metrics",
                type: "REAL",
                nullable: false,
                defaultValue: 0.0);

            migrationBuilder.CreateIndex(
                name: "ix_training_runs_previous",
                table: "training_runs",
                column: "previous_id",
                filter: "previous_id is not null");

            migrationBuilder.AddCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs",
                sql: "state = 'waiting' or state = 'validating_files' or state = 'queued' or state = 'running' or state = 'paused' or state = 'succeeded' or state = 'failed' or state = 'cancelled'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_training_runs_previous",
                table: "training_runs");

            migrationBuilder.DropCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs");

            migrationBuilder.DropColumn(
                name: "bases",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "previous_id",
                table: "training_runs");

            migrationBuilder.DropColumn(
                name: "waited",
                table: "training_metrics");

            migrationBuilder.AddCheckConstraint(
                name: "ck_training_runs_state",
                table: "training_runs",
                sql: "state = 'validating_files' or state = 'queued' or state = 'running' or state = 'paused' or state = 'succeeded' or state = 'failed' or state = 'cancelled'");
        }
    }
}
