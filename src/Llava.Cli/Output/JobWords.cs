using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>What every format says of a job.</summary>
internal static class JobWords
{
    /// <summary>The text that the item was asked.</summary>
    public static string? Asked(this JobRecord job, ItemResult result) => PromptTemplate.Compose(job.Request.Prompt, result.Prompt);
}
