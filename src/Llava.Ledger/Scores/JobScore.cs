using System.Text.Json.Serialization;
using Llava.Contracts;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Scores;

/// <summary>
/// How many answers of a job are the expected ones: equal to them but for case and for blanks and full stops around them. An item that
/// failed was not answered rightly; one that was cancelled, or expired, is left out.
/// </summary>
/// <param name="Scored">Items with an expected answer that were worked on.</param>
/// <param name="Right">Of those, items with that answer.</param>
/// <param name="Categories">The same by the items' category, where they have any.</param>
public sealed record JobScore(long Scored, long Right, IReadOnlyList<CategoryScore> Categories)
{
    /// <summary>Share of the right ones, 0 to 1.</summary>
    [JsonIgnore]
    public double Share => Scored == 0 ? 0 : (double)Right / Scored;

    /// <summary>Counts the answers there are; null before there is one.</summary>
    internal static async Task<JobScore?> CountAsync(LedgerSession session, JobId job, CancellationToken cancellation)
    {
        var counts = await session.Statement("count_score").Set("@job", job.Value)
            .ListAsync(row => new CategoryScore(row.Text(0) ?? "", row.GetInt64(1), row.GetInt64(2)), cancellation);
        return counts.Count == 0 ? null : new(counts.Sum(count => count.Scored), counts.Sum(count => count.Right), counts is [{ Category: "" }] ? [] : counts);
    }
}

/// <summary>How many answers of a category are right.</summary>
/// <param name="Category">The category; empty for items without one.</param>
/// <param name="Scored">Its items with an expected answer that were worked on.</param>
/// <param name="Right">Of those, items with that answer.</param>
public sealed record CategoryScore(string Category, long Scored, long Right);
