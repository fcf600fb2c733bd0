using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Promotion : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "promotions",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    tenant = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    model = table.Column<string>(type: "TEXT", nullable: false),
                    holds = table.Column<bool>(type: "INTEGER", nullable: true),
                    reason = table.Column<string>(type: "TEXT", nullable: true),
                    decided_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_promotions", x => x.run_id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_promotions_name",
                table: "promotions",
                columns: new[] { "tenant", "name", "decided_at" },
                filter: "holds");

            migrationBuilder.CreateIndex(
                name: "ix_promotions_waiting",
                table: "promotions",
                column: "run_id",
                filter: "decided_at is null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "promotions");
        }
    }
}
