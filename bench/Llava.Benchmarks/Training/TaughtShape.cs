using System.Diagnostics;
using System.Globalization;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Promotions;
using Llava.Ledger.Scores;
using Llava.Ledger.Training;
using Llava.ModelCore.Scenes;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Benchmarks.Training;

/// <summary>
/// The model that ships is taught a shape that it has never seen, through the queue of <c>llava up</c>: from the submission to the verdict on its promotion, which
/// asks for 95 % of the new kind and at most one point lost on the others. The figures say whether so many rows and passes were enough.
/// </summary>
internal static class TaughtShape
{
    private const int KnownQuestions = 5;
    private const int MaxObjects = 3;
    private const int BatchSize = 8;
    private const int Side = 112;
    private const string Name = "best";

    /// <summary>Draws rows and questions, and times the rest.</summary>
    public static async Task RunAsync(int rows, int scenes, int epochs, double rate, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("llava-taught-").FullName;
        var (data, images) = (Path.Combine(folder, "data"), Path.Combine(folder, "scenes"));
        SceneRows.Write(images, rows, KnownQuestions, MaxObjects, Side);
        SceneRows.WriteQuestions(images, scenes, MaxObjects, Side);
        using var server = Start(["up", "--port", "0", "--data", data], images);
        _ = server.StandardOutput.ReadToEndAsync(cancellation);
        try
        {
            var clock = Stopwatch.StartNew();
            using var submit = Start(
                [
                    "train", "submit", Path.Combine(images, SceneRows.RowFile), "--data", data, "--epochs", Text(epochs), "--batch-size", Text(BatchSize), "--learning-rate", Text(rate),
                    "--promote", Name, "--evaluate", Path.Combine(images, SceneRows.QuestionFile), "--at-least", DiamondQuestions.Category + "=0.95", "--lose-at-most", "0.01",
                ],
                images);
            var id = (await submit.StandardOutput.ReadToEndAsync(cancellation)).Trim();
            await using var ledger = new ServiceCollection().AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(data, "ledger.db"))).BuildServiceProvider();
            var run = await UntilOverAsync(ledger.GetRequiredService<TrainingRuns>(), id, cancellation);
            var trained = clock.Elapsed;
            var promotion = await UntilJudgedAsync(ledger.GetRequiredService<PromotionStore>(), id, cancellation);
            Figures.Write("taught shape", new
            {
                Rows = rows,
                Epochs = epochs,
                BatchSize,
                LearningRate = rate,
                run.Steps,
                SecondsToTrain = trained.TotalSeconds,
                SecondsToJudge = clock.Elapsed.TotalSeconds,
                promotion.Holds,
                promotion.Reason,
                Made = await ScoreAsync(ledger, $"promotion:{id}:made", cancellation),
                Before = await ScoreAsync(ledger, $"promotion:{id}:before", cancellation),
            });
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(CancellationToken.None);
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Process Start(IEnumerable<string> arguments, string images)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "llava"), arguments) { RedirectStandardOutput = true };
        start.Environment["Llava__Training__ImageRoots__0"] = images;
        return Process.Start(start)!;
    }

    private static async Task<TrainingRunRecord> UntilOverAsync(TrainingRuns runs, string id, CancellationToken cancellation)
    {
        while (true)
        {
            var run = await runs.ReadAsync(id, null, cancellation);
            if (run.State.IsFinal())
            {
                return run.State == TrainingRunState.Succeeded ? run : throw new InvalidOperationException($"The run is {run.State.WireName()}: {run.Failure?.Message}");
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        }
    }

    private static async Task<PromotionRecord> UntilJudgedAsync(PromotionStore promotions, string id, CancellationToken cancellation)
    {
        while (true)
        {
            if ((await promotions.ListAsync(null, 1, cancellation)) is [{ DecidedAt: not null } judged] && judged.Run == id)
            {
                return judged;
            }

            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
        }
    }

    private static async Task<IReadOnlyList<CategoryScore>> ScoreAsync(ServiceProvider ledger, string key, CancellationToken cancellation)
    {
        var reader = ledger.GetRequiredService<JobReader>();
        var job = (await reader.ListAsync(new() { Limit = 10 }, cancellation)).Single(job => job.Request.IdempotencyKey == key);
        return (await reader.ProgressAsync(job.Id, cancellation)).Score?.Categories ?? [];
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
