using System.Globalization;
using Llava.GpuConsumer.Training.Rows;
using Llava.Ledger.Files;
using Llava.Ledger.Training;
using Llava.ModelCore.Training;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Training;

/// <summary>Reads a run's files in full before its first step: every row, every image, every length.</summary>
internal sealed partial class RunValidation(TrainingLeases leases, FileStore files, RowFile rows, TrainingRecipes recipes, TrainingFolders folders, TrainingOptions options, ILogger<RunValidation> logger)
{
    private const int ShownFindings = 20;

    /// <summary>Checks the files of a claimed run, and lets it be trained or fail.</summary>
    /// <param name="held">The run.</param>
    /// <param name="cancellation">Gives up; the run is then given back.</param>
    public async Task RunAsync(HeldRun held, CancellationToken cancellation)
    {
        var (run, lease) = (held.Run, held.Lease);
        var folder = folders.RunFolder(run.Id);
        if (Directory.Exists(folder))
        {
            // What a worker that died has left.
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
        await leases.NoteAsync(lease, TrainingEventLevel.Info, $"Validating training file: {run.Request.TrainingFile}", cancellation);
        var recipe = recipes.Of(run);
        var training = await CheckAsync(run, run.Request.TrainingFile, "training_file", recipe, recipe.Data, cancellation);
        var findings = training.Findings;
        await SummarizeAsync(lease, "training file", training, cancellation);
        if (run.Request.ValidationFile is { } validation)
        {
            await leases.NoteAsync(lease, TrainingEventLevel.Info, $"Validating validation file: {validation}", cancellation);
            var measured = await CheckAsync(run, validation, "validation_file", recipe with { ValidationData = null }, recipe.ValidationData!, cancellation);
            findings = [.. findings, .. measured.Findings];
            await SummarizeAsync(lease, "validation file", measured, cancellation);
        }

        await ReportAsync(lease, findings, cancellation);
        var (settings, steps) = recipes.Resolve(run, training.Rows);
        Checked(run.Id, training.Rows, training.Data.Positions, findings.Count);
        await leases.QueueAsync(lease, settings, steps, findings, cancellation);
    }

    private async Task<RowReport> CheckAsync(TrainingRunRecord run, string id, string field, TrainingRecipe recipe, string target, CancellationToken cancellation)
    {
        var file = await files.FindAsync(id, run.Request.Tenant, cancellation)
            ?? throw new RunRefusedException(new("file_not_found", $"There is no file '{id}' any more; send it again.", field));
        var report = await rows.ConvertAsync(file, recipe, target, cancellation);
        if (report.Fatal.ToList() is { Count: > 0 } wrong)
        {
            throw new RunRefusedException(new($"invalid_{field}", Describe(file, wrong), field), report.Findings);
        }

        var least = field == "training_file" ? options.MinRows : 1;
        return report.Rows >= least ? report : throw new RunRefusedException(
            new($"invalid_{field}", $"'{file.Name}' has {Number(report.Rows)} rows that can be used, and at least {Number(least)} are needed; {Number(report.Findings.Count)} were left out.", field), report.Findings);
    }

    private async Task SummarizeAsync(TrainingLease lease, string file, RowReport report, CancellationToken cancellation)
    {
        await leases.NoteAsync(lease, TrainingEventLevel.Info, $"The {file} has {report.Summary}", cancellation);
        foreach (var warning in report.Warnings)
        {
            await leases.NoteAsync(lease, TrainingEventLevel.Warn, $"In the {file}, {warning}", cancellation);
        }
    }

    /// <summary>Every row that is left out is told of; a file full of them in one event, beside the list that the run keeps.</summary>
    private async Task ReportAsync(TrainingLease lease, IReadOnlyList<RowFinding> skipped, CancellationToken cancellation)
    {
        foreach (var finding in skipped.Take(ShownFindings))
        {
            await leases.NoteAsync(lease, TrainingEventLevel.Warn, $"Skipped: {finding.Message} ({finding.Code})", cancellation);
        }

        if (skipped.Count > ShownFindings)
        {
            await leases.NoteAsync(lease, TrainingEventLevel.Warn, $"Skipped: {Number(skipped.Count)} rows in all; the job's x_findings lists them", cancellation);
        }
    }

    private static string Describe(FileRecord file, List<RowFinding> wrong)
    {
        var shown = string.Join(" ", wrong.Take(ShownFindings).Select(finding => finding.Message));
        return $"'{file.Name}' cannot be learned from, {Number(wrong.Count)} of its rows are wrong. {shown}{(wrong.Count > ShownFindings ? " …" : "")}";
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(3052, LogLevel.Information, "Training run {Run} has {Rows} rows of {Positions} positions; {Skipped} rows are left out")]
    private partial void Checked(string run, int rows, long positions, int skipped);
}

/// <summary>A run that can never be trained as it was asked for.</summary>
/// <param name="failure">Why.</param>
/// <param name="findings">Rows that are to blame, and those that were left out; null when rows are none of it.</param>
public sealed class RunRefusedException(TrainingFailure failure, IReadOnlyList<RowFinding>? findings = null) : Exception(failure.Message)
{
    /// <summary>Why.</summary>
    public TrainingFailure Failure { get; } = failure;

    /// <summary>Rows that are to blame, and those that were left out.</summary>
    public IReadOnlyList<RowFinding>? Findings { get; } = findings;
}
