using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Llava.ModelCore.Training;

namespace Llava.Cli.Commands;

/// <summary><c>llava train check</c>: what a recipe's data is like, before a weight is loaded.</summary>
internal static class TrainCheckCommand
{
    private const int ShownFindings = 50;
    private const int ShownLines = 10;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create()
    {
        var recipe = new Argument<FileInfo>("recipe") { Description = "A recipe: its base, template, lengths and data are looked at." };
        var json = new Option<bool>("--json") { Description = "The report as JSON." };
        var command = new Command("check", "Report what a recipe's data is like, without loading a weight: findings by line, lengths, duplicates, and what is also in the validation data.") { recipe, json };
        command.SetAction((typed, _) => Failures.ReportAsync(async () =>
        {
            var loaded = TrainingRecipe.Load(typed.GetValue(recipe)!.FullName) with { VerifyImages = true };
            var data = await Task.Run(() => InstructionDataset.Load(loaded.Data));
            var report = await Task.Run(() => DatasetCheck.Run(loaded, data));
            Console.WriteLine(typed.GetValue(json) ? JsonSerializer.Serialize(report, Json) : Text(data, report));
            return report.Findings.Count > 0 ? ExitCodes.SomeItemsFailed : ExitCodes.Ok;
        }));
        return command;
    }

    private static string Text(InstructionDataset data, DatasetReport report) => string.Join(Environment.NewLine, (IEnumerable<string>)
    [
        string.Create(CultureInfo.InvariantCulture, $"{report.Samples} samples can be used, {report.WithImage} with an image, {report.Positions} positions in one pass"),
        .. report.Lengths.Select(length => string.Create(CultureInfo.InvariantCulture, $"  {length.From,6} to {(2 * length.From) - 1,6} positions: {length.Samples}")),
        .. report.Warnings(data.LineOf, ShownLines),
        .. report.Findings.Take(ShownFindings).Select(data.Describe),
        .. report.Findings.Count > ShownFindings ? [string.Create(CultureInfo.InvariantCulture, $"… and {report.Findings.Count - ShownFindings} more findings")] : Array.Empty<string>(),
    ]);
}
