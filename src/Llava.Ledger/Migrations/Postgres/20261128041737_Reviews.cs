using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Reviews : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
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

            migrationBuilder.CreateIndex(
                name: "ix_items_category",
                schema: "llava",
                table: "items",
                columns: new[] { "job_id", "category", "item_no" },
                filter: "category is not null");

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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "reviews",
                schema: "llava");

            migrationBuilder.DropIndex(
                name: "ix_results_finished",
                schema: "llava",
                table: "results");

            migrationBuilder.DropIndex(
                name: "ix_items_category",
                schema: "llava",
                table: "items");

            migrationBuilder.DropIndex(
                name: "ix_results_confidence",
                schema: "llava",
                table: "results");
        }
    }
}
