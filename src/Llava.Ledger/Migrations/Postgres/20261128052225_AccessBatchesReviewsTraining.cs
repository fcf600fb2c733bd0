using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class AccessBatchesReviewsTraining : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "chat",
                schema: "llava",
                table: "items",
                type: "text",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit",
                schema: "llava",
                columns: table => new
                {
                    number = table.Column<long>(type: "bigint", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: false),
                    request_id = table.Column<string>(type: "text", nullable: true),
                    details = table.Column<string>(type: "text", nullable: true),
                    hash = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit", x => x.number);
                });

            migrationBuilder.CreateTable(
                name: "batches",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    input_file_id = table.Column<string>(type: "text", nullable: false),
                    endpoint = table.Column<string>(type: "text", nullable: false),
                    completion_window = table.Column<string>(type: "text", nullable: false),
                    metadata = table.Column<string>(type: "text", nullable: true),
                    output_lifetime = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    cancelling_at = table.Column<long>(type: "bigint", nullable: true),
                    findings = table.Column<string>(type: "text", nullable: true),
                    output_file_id = table.Column<string>(type: "text", nullable: true),
                    error_file_id = table.Column<string>(type: "text", nullable: true),
                    published_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_batches", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "reviews",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    item_no = table.Column<int>(type: "integer", nullable: false),
                    review_no = table.Column<int>(type: "integer", nullable: false),
                    verdict = table.Column<string>(type: "text", nullable: false),
                    text = table.Column<string>(type: "text", nullable: true),
                    original = table.Column<string>(type: "text", nullable: true),
                    reviewer = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    latest = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reviews", x => new { x.job_id, x.item_no, x.review_no });
                    table.CheckConstraint("ck_reviews_verdict", "verdict in ('accepted', 'edited', 'rejected')");
                });

            migrationBuilder.CreateTable(
                name: "sign_ins",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    expires_at = table.Column<long>(type: "bigint", nullable: false),
                    ended_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_sign_ins", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "training_checkpoints",
                schema: "llava",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_checkpoints", x => new { x.run_id, x.step });
                });

            migrationBuilder.CreateTable(
                name: "training_events",
                schema: "llava",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    event_no = table.Column<int>(type: "integer", nullable: false),
                    level = table.Column<string>(type: "text", nullable: false),
                    message = table.Column<string>(type: "text", nullable: false),
                    data = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_events", x => new { x.run_id, x.event_no });
                });

            migrationBuilder.CreateTable(
                name: "training_metrics",
                schema: "llava",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<int>(type: "integer", nullable: false),
                    loss = table.Column<double>(type: "double precision", nullable: false),
                    accuracy = table.Column<double>(type: "double precision", nullable: false),
                    learning_rate = table.Column<double>(type: "double precision", nullable: false),
                    gradient_norm = table.Column<double>(type: "double precision", nullable: false),
                    tokens = table.Column<long>(type: "bigint", nullable: false),
                    tokens_per_second = table.Column<double>(type: "double precision", nullable: false),
                    valid_loss = table.Column<double>(type: "double precision", nullable: true),
                    valid_accuracy = table.Column<double>(type: "double precision", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_metrics", x => new { x.run_id, x.step });
                });

            migrationBuilder.CreateTable(
                name: "training_runs",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    priority = table.Column<int>(type: "integer", nullable: false),
                    request = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    resolved = table.Column<string>(type: "text", nullable: true),
                    findings = table.Column<string>(type: "text", nullable: true),
                    step = table.Column<int>(type: "integer", nullable: false),
                    steps = table.Column<int>(type: "integer", nullable: true),
                    estimated_finish = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    started_at = table.Column<long>(type: "bigint", nullable: true),
                    finished_at = table.Column<long>(type: "bigint", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    error_param = table.Column<string>(type: "text", nullable: true),
                    result_file = table.Column<string>(type: "text", nullable: true),
                    model_deleted_at = table.Column<long>(type: "bigint", nullable: true),
                    owner = table.Column<string>(type: "text", nullable: true),
                    fence = table.Column<int>(type: "integer", nullable: false),
                    lease_until = table.Column<long>(type: "bigint", nullable: true),
                    losses = table.Column<int>(type: "integer", nullable: false),
                    events = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_training_runs", x => x.id);
                    table.CheckConstraint("ck_training_runs_state", "state in ('validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')");
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    webhook_id = table.Column<string>(type: "text", nullable: false),
                    event_id = table.Column<string>(type: "text", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    payload = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    next_at = table.Column<long>(type: "bigint", nullable: false),
                    give_up_at = table.Column<long>(type: "bigint", nullable: false),
                    tried_at = table.Column<long>(type: "bigint", nullable: true),
                    status = table.Column<int>(type: "integer", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => x.id);
                    table.CheckConstraint("ck_webhook_deliveries_state", "state in ('pending', 'delivered', 'dead')");
                });

            migrationBuilder.CreateTable(
                name: "webhooks",
                schema: "llava",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: false),
                    events = table.Column<string>(type: "text", nullable: false),
                    secret = table.Column<string>(type: "text", nullable: false),
                    former_secret = table.Column<string>(type: "text", nullable: true),
                    former_until = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhooks", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_results_confidence",
                schema: "llava",
                table: "results",
                columns: new[] { "job_id", "confidence", "item_no" },
                filter: "confidence is not null");

            migrationBuilder.CreateIndex(
                name: "ix_results_finished",
                schema: "llava",
                table: "results",
                column: "finished_at")
                .Annotation("Npgsql:IndexMethod", "brin");

            migrationBuilder.CreateIndex(
                name: "ix_items_category",
                schema: "llava",
                table: "items",
                columns: new[] { "job_id", "category", "item_no" },
                filter: "category is not null");

            migrationBuilder.CreateIndex(
                name: "ix_audit_target",
                schema: "llava",
                table: "audit",
                columns: new[] { "target", "number" });

            migrationBuilder.CreateIndex(
                name: "ix_batches_tenant",
                schema: "llava",
                table: "batches",
                columns: new[] { "tenant", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_batches_unpublished",
                schema: "llava",
                table: "batches",
                column: "job_id",
                filter: "published_at is null");

            migrationBuilder.CreateIndex(
                name: "ux_batches_job",
                schema: "llava",
                table: "batches",
                column: "job_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_reviews_verdict",
                schema: "llava",
                table: "reviews",
                columns: new[] { "job_id", "verdict", "item_no" },
                filter: "latest");

            migrationBuilder.CreateIndex(
                name: "ux_reviews_latest",
                schema: "llava",
                table: "reviews",
                columns: new[] { "job_id", "item_no" },
                unique: true,
                filter: "latest");

            migrationBuilder.CreateIndex(
                name: "ix_training_runs_tenant",
                schema: "llava",
                table: "training_runs",
                columns: new[] { "tenant", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_training_runs_waiting",
                schema: "llava",
                table: "training_runs",
                columns: new[] { "priority", "id" },
                filter: "state in ('validating_files', 'queued', 'running')");

            migrationBuilder.CreateIndex(
                name: "ux_training_runs_model",
                schema: "llava",
                table: "training_runs",
                column: "model",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_due",
                schema: "llava",
                table: "webhook_deliveries",
                column: "next_at",
                filter: "state = 'pending'");

            migrationBuilder.CreateIndex(
                name: "ix_webhook_deliveries_webhook",
                schema: "llava",
                table: "webhook_deliveries",
                columns: new[] { "webhook_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_webhooks_tenant",
                schema: "llava",
                table: "webhooks",
                column: "tenant");

            migrationBuilder.Sql(new Storage.LedgerSql("Postgres")["protect_audit"]);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "audit",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "batches",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "reviews",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "sign_ins",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "training_checkpoints",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "training_events",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "training_metrics",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "training_runs",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "webhook_deliveries",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "webhooks",
                schema: "llava");

            migrationBuilder.DropIndex(
                name: "ix_results_confidence",
                schema: "llava",
                table: "results");

            migrationBuilder.DropIndex(
                name: "ix_results_finished",
                schema: "llava",
                table: "results");

            migrationBuilder.DropIndex(
                name: "ix_items_category",
                schema: "llava",
                table: "items");

            migrationBuilder.DropColumn(
                name: "chat",
                schema: "llava",
                table: "items");

            migrationBuilder.Sql("drop function llava.refuse_audit_change()");
        }
    }
}
