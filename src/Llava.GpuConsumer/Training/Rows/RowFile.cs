using System.Globalization;
using System.Text.Json;
using Llava.Ledger.Files;
using Llava.Ledger.Training;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Training;

namespace Llava.GpuConsumer.Training.Rows;

/// <summary>Turns a file of rows into a data set of the trainer's own form, with its images in a folder beside it; what is wrong with a row becomes a finding.</summary>
internal sealed class RowFile(FileStore files, RowImages images, TrainingOptions options)
{
    private const string ImageFolder = "images";

    private readonly ImageDecoder _decoder = new();

    /// <summary>Reads the whole file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="recipe">What the rows are for; names the folder of the images.</param>
    /// <param name="target">The data set that is written: the rows that can be learned from.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<RowReport> ConvertAsync(FileRecord file, TrainingRecipe recipe, string target, CancellationToken cancellation)
    {
        List<RowFinding> findings = [];
        List<(int Line, string Json)> rows = [];
        var drafts = target + ".draft";
        var prefix = Path.GetFileNameWithoutExtension(target);
        await using (var content = files.Open(file))
        {
            await foreach (var row in RowLines.ReadAsync(content, options.MaxRowBytes, cancellation))
            {
                try
                {
                    rows.Add((row.Line, await ConvertAsync(row, file.Tenant, recipe.ImageFolder!, prefix, cancellation)));
                }
                catch (RowException wrong)
                {
                    findings.Add(new(file.Id, row.Line, wrong.Code, $"Line {row.Line.ToString(CultureInfo.InvariantCulture)} {wrong.Message}", wrong.IsSkippable));
                }
            }
        }

        await File.WriteAllLinesAsync(drafts, rows.Select(row => row.Json), cancellation);
        var report = await Task.Run(() => DatasetCheck.Run(recipe, InstructionDataset.Load(drafts)), cancellation);
        findings.AddRange(report.Findings.Select(finding => new RowFinding(
            file.Id, rows[finding.Index].Line, "unusable_row", $"Line {rows[finding.Index].Line.ToString(CultureInfo.InvariantCulture)} {WithoutName(finding.Message)}", IsSkipped: true)));
        var bad = report.Findings.Select(finding => finding.Index).ToHashSet();
        await File.WriteAllLinesAsync(target, rows.Where((_, index) => !bad.Contains(index)).Select(row => row.Json), cancellation);
        File.Delete(drafts);
        return new(report, [.. rows.Select(row => row.Line)], [.. findings.OrderBy(finding => finding.Line)]);
    }

    private async Task<string> ConvertAsync(RowLine row, string tenant, string folder, string prefix, CancellationToken cancellation)
    {
        var read = Read(row);
        string? image = null;
        if (read.Image is { } named)
        {
            image = Path.Combine(ImageFolder, string.Create(CultureInfo.InvariantCulture, $"{prefix}-{row.Line}"));
            Directory.CreateDirectory(Path.Combine(folder, ImageFolder));
            await File.WriteAllBytesAsync(Path.Combine(folder, image), Decodable(await images.ReadAsync(named, tenant, cancellation)), cancellation);
        }

        return JsonSerializer.Serialize(new
        {
            id = string.Create(CultureInfo.InvariantCulture, $"line {row.Line}"),
            image,
            system = read.System,
            conversations = read.Turns.Select(turn => new { from = turn.IsAssistant ? ConversationTurn.Assistant : ConversationTurn.Human, value = TrainingRow.TextOf(turn), weight = turn.IsLearned ? 1 : 0 }),
        });
    }

    /// <summary>The bytes, once they have shown that they are an image.</summary>
    private byte[] Decodable(byte[] bytes)
    {
        try
        {
            _decoder.Decode(bytes);
            return bytes;
        }
        catch (ImageException wrong)
        {
            throw new RowException("invalid_image", $"has an image that cannot be used: {wrong.Message}", isSkippable: true);
        }
    }

    /// <summary>What the trainer says of a sample, without the name that it has there.</summary>
    private static string WithoutName(string message) => message[(message.IndexOf("') ", StringComparison.Ordinal) + "') ".Length)..];

    private static TrainingRow Read(RowLine row) =>
        row.Problem is { } problem ? throw new RowException("invalid_json_line", problem)
        : row.Json.ValueKind != JsonValueKind.Object ? throw new RowException("invalid_json_line", $"is a JSON {row.Json.ValueKind}; give an object.")
        : row.Json.TryGetProperty("messages", out var messages) ? ChatRow.Read(messages)
        : row.Json.TryGetProperty("conversations", out var conversations) ? ConversationRow.Read(row.Json, conversations)
        : throw new RowException("invalid_row", "has neither 'messages' nor 'conversations'.");
}

/// <summary>What a file of rows came to.</summary>
/// <param name="Data">What the rows are like that can be used.</param>
/// <param name="Lines">Line of each sample of <paramref name="Data"/>.</param>
/// <param name="Findings">What is wrong with the others, line by line.</param>
internal sealed record RowReport(DatasetReport Data, IReadOnlyList<int> Lines, IReadOnlyList<RowFinding> Findings)
{
    private const int ShownLines = 5;

    /// <summary>Rows that can be used.</summary>
    public int Rows => Data.Samples;

    /// <summary>Size and lengths of the rows that can be used, in one sentence.</summary>
    public string Summary => string.Create(
        CultureInfo.InvariantCulture,
        $"{Data.Samples} rows, {Data.WithImage} with an image, {Data.Positions} positions; rows by positions: {string.Join(", ", Data.Lengths.Select(length => $"{length.From} to {(2 * length.From) - 1}: {length.Samples}"))}");

    /// <summary>What is usable but not as one would wish, one sentence each.</summary>
    public IEnumerable<string> Warnings => Data.Warnings(sample => Lines[sample], ShownLines);

    /// <summary>Findings that the run cannot go on with.</summary>
    public IEnumerable<RowFinding> Fatal => Findings.Where(finding => !finding.IsSkipped);
}
