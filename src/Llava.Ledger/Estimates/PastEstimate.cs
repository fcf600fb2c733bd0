using Llava.Contracts.Documents;
using Llava.Ledger.Jobs;

namespace Llava.Ledger.Estimates;

/// <summary>What a job will take by what earlier jobs of its model took.</summary>
internal static class PastEstimate
{
    // Of fewer answers the first and the last are too near to each other for a rate.
    private const int FewestAnswers = 8;

    /// <param name="jobs">Closed counts of the model's jobs, the newest first.</param>
    /// <param name="survey">What is known of the source.</param>
    /// <param name="capacity">What can work on it.</param>
    public static JobEstimate Of(IReadOnlyList<JobProgress> jobs, SourceSurvey survey, Capacity capacity)
    {
        var measured = jobs.Where(job => OwnAnswers(job) >= FewestAnswers && job.ItemsPerSecond > 0).ToList();
        var seconds = measured.Sum(job => OwnAnswers(job) / RateOf(job));
        double? rate = measured.Count > 0 ? measured.Sum(OwnAnswers) / seconds : null;
        return new()
        {
            Basis = measured.Count > 0 ? EstimateBasis.PastJobs : EstimateBasis.None,
            Explanation = string.Join(' ', ((string[])[Measured(measured), Now(capacity), Counted(survey)]).Where(sentence => sentence.Length > 0)),
            Items = survey.Items,
            Rejected = survey.Rejected,
            ItemsPerSecond = rate,
            Seconds = survey.Items / rate,
            SecondsLeast = measured.Count > 0 ? survey.Items / measured.Max(RateOf) : null,
            SecondsMost = measured.Count > 0 ? survey.Items / measured.Min(RateOf) : null,
            PromptTokens = Tokens(survey.PromptTokens, survey.Items) ?? Tokens(measured, job => job.PromptTokens, survey.Items),
            ImageTokens = Tokens(survey.ImageTokens, survey.Items),
            CompletionTokens = Tokens(measured, job => job.CompletionTokens, survey.Items),
        };
    }

    private static string Measured(List<JobProgress> jobs) => jobs.Count == 0
        ? "There is no calibration yet: no job of this model has enough answers to measure. Submit the job with 'sample' to measure it on its own rows."
        : FormattableString.Invariant($"Measured on {jobs.Sum(OwnAnswers)} answers of the newest {(jobs.Count == 1 ? "job" : $"{jobs.Count} jobs")} of this model; their prompts, images and settings, and what else ran then, may have been others. The least and the most time are at the pace of the fastest and the slowest of them.");

    private static string Now(Capacity capacity) => capacity.Workers == 0 ? "No live worker serves the model now." : $"Now there are {capacity.InWords}.";

    private static string Counted(SourceSurvey survey) =>
        survey.Problem ?? (survey.IsCut ? FormattableString.Invariant($"Only the first {survey.Items + survey.Rejected} items of the source were counted; there are more.") : "");

    /// <summary>Answers that took work.</summary>
    private static long OwnAnswers(JobProgress job) => job.Succeeded - job.Copied - job.Cached;

    private static double RateOf(JobProgress job) => job.ItemsPerSecond * OwnAnswers(job) / job.Succeeded;

    private static TokenEstimate? Tokens(IReadOnlyList<int> tokens, long? items) =>
        tokens.Count == 0 ? null : new(tokens.Average(), tokens.Min(), tokens.Max(), tokens.Average() * items);

    /// <summary>By job: of single items the closed counts know no more.</summary>
    private static TokenEstimate? Tokens(List<JobProgress> jobs, Func<JobProgress, long> count, long? items)
    {
        if (jobs.Count == 0)
        {
            return null;
        }

        var each = jobs.ConvertAll(job => (double)count(job) / job.Succeeded);
        var mean = (double)jobs.Sum(count) / jobs.Sum(job => job.Succeeded);
        return new(mean, each.Min(), each.Max(), mean * items);
    }
}
