using Llava.Contracts.Requests;
using Llava.Ledger.Estimates;

namespace Llava.Dashboard.Estimates;

/// <summary>Looks into the source of a job that is not submitted yet. The host implements it: it has the readers of every format and, maybe, the model's tokenizer.</summary>
public interface IJobSurvey
{
    /// <summary>Reads the source for a few seconds at most. What is wrong with it stands in <see cref="SourceSurvey.Problem"/>.</summary>
    Task<SourceSurvey> OfAsync(JobRequest request, CancellationToken cancellationToken);
}

/// <summary>For hosts that read no sources.</summary>
internal sealed class NoJobSurvey : IJobSurvey
{
    public Task<SourceSurvey> OfAsync(JobRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(new SourceSurvey { Problem = "This process reads no sources, so the items were not counted." });
}
