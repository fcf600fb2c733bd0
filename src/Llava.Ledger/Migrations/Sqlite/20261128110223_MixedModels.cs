using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Llava.Ledger.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class MixedModels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "model",
                table: "items",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "model",
                table: "chunks",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_chunks_model",
                table: "chunks",
                columns: new[] { "job_id", "model" },
                filter: "model is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_chunks_model",
                table: "chunks");

            migrationBuilder.DropColumn(
                name: "model",
                table: "items");

            migrationBuilder.DropColumn(
                name: "model",
                table: "chunks");
        }
    }
}
