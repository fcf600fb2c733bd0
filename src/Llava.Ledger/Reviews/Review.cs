using System.Data.Common;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Reviews;

/// <summary>What a person said of an item's answer. Of several the last one holds; all are kept.</summary>
/// <param name="Number">Counted from 1 for each item.</param>
/// <param name="Verdict">What was said.</param>
/// <param name="Text">The text that is right, for <see cref="ReviewVerdict.Edited"/>; null otherwise.</param>
/// <param name="Original">The answer that was looked at; null for an item that had none.</param>
/// <param name="Reviewer">Who said it.</param>
/// <param name="At">When.</param>
public sealed record Review(int Number, ReviewVerdict Verdict, string? Text, string? Original, string Reviewer, DateTimeOffset At)
{
    /// <summary>The text that counts as the answer from now on; null for a rejected one.</summary>
    public string? Final => Verdict switch
    {
        ReviewVerdict.Accepted => Original,
        ReviewVerdict.Edited => Text,
        _ => null,
    };

    /// <summary>Reads number, verdict, text, original, reviewer and time from a column on; null where the first is.</summary>
    internal static Review? Read(DbDataReader row, int at) => row.IsDBNull(at) ? null : new(
        row.GetInt32(at), ReviewVerdicts.Table.Parse(row.GetString(at + 1)), row.Text(at + 2), row.Text(at + 3), row.GetString(at + 4), row.Time(at + 5));
}

/// <summary>How a job's answers stand.</summary>
/// <param name="Accepted">Items whose answer is right.</param>
/// <param name="Edited">Items whose answer was put right.</param>
/// <param name="Rejected">Items whose answer is wrong.</param>
public sealed record ReviewCounts(long Accepted, long Edited, long Rejected)
{
    /// <summary>Items that somebody looked at.</summary>
    public long Total => Accepted + Edited + Rejected;

    /// <summary>Items whose right answer is known.</summary>
    public long Usable => Accepted + Edited;
}
