using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Promotion : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "promotions",
                schema: "llava",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    tenant = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    model = table.Column<string>(type: "text", nullable: false),
                    holds = table.Column<bool>(type: "boolean", nullable: true),
                    reason = table.Column<string>(type: "text", nullable: true),
                    decided_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_promotions", x => x.run_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_promotions_name",
                schema: "llava",
                table: "promotions",
                columns: new[] { "tenant", "name", "decided_at" },
                filter: "holds");

            migrationBuilder.CreateIndex(
                name: "ix_promotions_waiting",
                schema: "llava",
                table: "promotions",
                column: "run_id",
                filter: "decided_at is null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "promotions",
                schema: "llava");
        }
    }
}
