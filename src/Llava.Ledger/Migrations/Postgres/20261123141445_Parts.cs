using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Parts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "open",
                schema: "llava",
                table: "jobs",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "parts",
                schema: "llava",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    part_no = table.Column<int>(type: "integer", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    idempotency_key = table.Column<string>(type: "text", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    position = table.Column<string>(type: "text", nullable: true),
                    first_item = table.Column<int>(type: "integer", nullable: true),
                    item_count = table.Column<int>(type: "integer", nullable: false),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_parts", x => new { x.job_id, x.part_no });
                    table.CheckConstraint("ck_parts_state", "state in ('waiting', 'done', 'failed')");
                });

            migrationBuilder.CreateIndex(
                name: "ix_parts_waiting",
                schema: "llava",
                table: "parts",
                columns: new[] { "job_id", "part_no" },
                filter: "state = 'waiting'");

            migrationBuilder.CreateIndex(
                name: "ux_parts_idempotency",
                schema: "llava",
                table: "parts",
                columns: new[] { "job_id", "idempotency_key" },
                unique: true,
                filter: "idempotency_key is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "parts",
                schema: "llava");

            migrationBuilder.DropColumn(
                name: "open",
                schema: "llava",
                table: "jobs");
        }
    }
}
