using Llava.Dashboard.Api;
using Llava.Dashboard.Elements;
using Llava.Dashboard.Training;
using Llava.Ledger.Training;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Training;

/// <summary>The curves of a few runs, one over the other.</summary>
internal sealed class CompareTrainingModel(TrainingReader reader) : PageModel
{
    private const int MostRuns = 4;
    private const int EndOfId = 6;

    /// <summary>The runs, in the order in which they were named.</summary>
    public IReadOnlyList<TrainingDetails> Runs { get; private set; } = [];

    /// <summary>Their names, made different where runs share one.</summary>
    public IReadOnlyList<string> Names => [.. Runs.Select(run =>
        Runs.Count(other => other.View.Name == run.View.Name) > 1 ? $"{run.View.Name} …{run.View.Run.Id[^EndOfId..]}" : run.View.Name)];

    /// <summary>The page.</summary>
    /// <param name="run">Ids; those that are not the reader's are left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task OnGetAsync(string[] run, CancellationToken cancellationToken)
    {
        List<TrainingDetails> found = [];
        foreach (var id in run.Distinct(StringComparer.Ordinal).Take(MostRuns))
        {
            if (await reader.FindAsync(id, Caller.Of(User).Confinement, cancellationToken) is { } details)
            {
                found.Add(details);
            }
        }

        Runs = found;
    }

    /// <summary>One measure of all runs.</summary>
    public TimeSeries Curve(Func<TrainingMetric, double?> value) => TrainingCharts.Compare([.. Runs.Zip(Names, (run, name) => (name, run.Metrics))], value);
}
