using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class BatchesAndWebhooks : Migration
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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "batches",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "webhook_deliveries",
                schema: "llava");

            migrationBuilder.DropTable(
                name: "webhooks",
                schema: "llava");

            migrationBuilder.DropColumn(
                name: "chat",
                schema: "llava",
                table: "items");
        }
    }
}
