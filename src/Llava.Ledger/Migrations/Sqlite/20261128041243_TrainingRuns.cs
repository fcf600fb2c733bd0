using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class TrainingRuns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "training_checkpoints",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    step = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_checkpoints", x => new { x.run_id, x.step });
                });

            migrationBuilder.CreateTable(
                name: "training_events",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    event_no = table.Column<int>(type: "INTEGER", nullable: false),
                    level = table.Column<string>(type: "TEXT", nullable: false),
                    message = table.Column<string>(type: "TEXT", nullable: false),
                    data = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_events", x => new { x.run_id, x.event_no });
                });

            migrationBuilder.CreateTable(
                name: "training_metrics",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    step = table.Column<int>(type: "INTEGER", nullable: false),
                    loss = table.Column<double>(type: "REAL", nullable: false),
                    accuracy = table.Column<double>(type: "REAL", nullable: false),
                    learning_rate = table.Column<double>(type: "REAL", nullable: false),
                    gradient_norm = table.Column<double>(type: "REAL", nullable: false),
                    tokens = table.Column<long>(type: "INTEGER", nullable: false),
                    tokens_per_second = table.Column<double>(type: "REAL", nullable: false),
                    valid_loss = table.Column<double>(type: "REAL", nullable: true),
                    valid_accuracy = table.Column<double>(type: "REAL", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_metrics", x => new { x.run_id, x.step });
                });

            migrationBuilder.CreateTable(
                name: "training_runs",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    tenant = table.Column<string>(type: "TEXT", nullable: false),
                    state = table.Column<string>(type: "TEXT", nullable: false),
                    priority = table.Column<int>(type: "INTEGER", nullable: false),
                    request = table.Column<string>(type: "TEXT", nullable: false),
                    model = table.Column<string>(type: "TEXT", nullable: false),
                    resolved = table.Column<string>(type: "TEXT", nullable: true),
                    findings = table.Column<string>(type: "TEXT", nullable: true),
                    step = table.Column<int>(type: "INTEGER", nullable: false),
                    steps = table.Column<int>(type: "INTEGER", nullable: true),
                    estimated_finish = table.Column<long>(type: "INTEGER", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: true),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                    error_code = table.Column<string>(type: "TEXT", nullable: true),
                    error_message = table.Column<string>(type: "TEXT", nullable: true),
                    error_param = table.Column<string>(type: "TEXT", nullable: true),
                    result_file = table.Column<string>(type: "TEXT", nullable: true),
                    model_deleted_at = table.Column<long>(type: "INTEGER", nullable: true),
                    owner = table.Column<string>(type: "TEXT", nullable: true),
                    fence = table.Column<int>(type: "INTEGER", nullable: false),
                    lease_until = table.Column<long>(type: "INTEGER", nullable: true),
                    losses = table.Column<int>(type: "INTEGER", nullable: false),
                    events = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_runs", x => x.id);
                    table.CheckConstraint("ck_training_runs_state", "state in ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')");
                });

            migrationBuilder.CreateIndex(
                name: "ix_training_runs_tenant",
                table: "training_runs",
                columns: new[] { "tenant", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_training_runs_waiting",
                table: "training_runs",
                columns: new[] { "priority", "id" },
                filter: "state in ('validating_files', 'queued', 'running')");

            migrationBuilder.CreateIndex(
                name: "ux_training_runs_model",
                table: "training_runs",
                column: "model",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "training_checkpoints");

            migrationBuilder.DropTable(
                name: "training_events");

            migrationBuilder.DropTable(
                name: "training_metrics");

            migrationBuilder.DropTable(
                name: "training_runs");
        }
    }
}
