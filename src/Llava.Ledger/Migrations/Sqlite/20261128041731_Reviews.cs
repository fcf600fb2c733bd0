using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Reviews : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "reviews",
                columns: table => new
                {
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    item_no = table.Column<int>(type: "INTEGER", nullable: false),
                    review_no = table.Column<int>(type: "INTEGER", nullable: false),
                    verdict = table.Column<string>(type: "TEXT", nullable: false),
                    text = table.Column<string>(type: "TEXT", nullable: true),
                    original = table.Column<string>(type: "TEXT", nullable: true),
                    reviewer = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    latest = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_reviews", x => new { x.job_id, x.item_no, x.review_no });
                    table.CheckConstraint("ck_reviews_verdict", "verdict in ('accepted', 'edited', 'rejected')");
                });

            migrationBuilder.CreateIndex(
                name: "ix_items_category",
                table: "items",
                columns: new[] { "job_id", "category", "item_no" },
                filter: "category is not null");

            migrationBuilder.CreateIndex(
                name: "ix_results_confidence",
                table: "results",
                columns: new[] { "job_id", "confidence", "item_no" },
                filter: "confidence is not null");

            migrationBuilder.CreateIndex(
                name: "ix_results_finished",
                table: "results",
                column: "finished_at");

            migrationBuilder.CreateIndex(
                name: "ix_reviews_verdict",
                table: "reviews",
                columns: new[] { "job_id", "verdict", "item_no" },
                filter: "latest");

            migrationBuilder.CreateIndex(
                name: "ux_reviews_latest",
                table: "reviews",
                columns: new[] { "job_id", "item_no" },
                unique: true,
                filter: "latest");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "reviews");

            migrationBuilder.DropIndex(
                name: "ix_results_finished",
                table: "results");

            migrationBuilder.DropIndex(
                name: "ix_items_category",
                table: "items");

            migrationBuilder.DropIndex(
                name: "ix_results_confidence",
                table: "results");
        }
    }
}
