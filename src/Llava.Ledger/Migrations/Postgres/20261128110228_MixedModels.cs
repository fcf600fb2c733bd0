using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class MixedModels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "model",
                schema: "llava",
                table: "items",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "model",
                schema: "llava",
                table: "chunks",
                type: "text",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_chunks_model",
                schema: "llava",
                table: "chunks",
                columns: new[] { "job_id", "model" },
                filter: "model is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_chunks_model",
                schema: "llava",
                table: "chunks");

            migrationBuilder.DropColumn(
                name: "model",
                schema: "llava",
                table: "items");

            migrationBuilder.DropColumn(
                name: "model",
                schema: "llava",
                table: "chunks");
        }
    }
}
