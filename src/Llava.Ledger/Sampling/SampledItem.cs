using System.Data.Common;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Sampling;

/// <summary>What became of an item of a sample.</summary>
internal sealed record SampledItem
{
    public required ItemOutcome Outcome { get; init; }

    public string? Code { get; init; }

    public required int PromptTokens { get; init; }

    public required int CachedTokens { get; init; }

    public required int CompletionTokens { get; init; }

    public string? Worker { get; init; }

    /// <summary>When it was in work, in milliseconds; null for one that never was.</summary>
    public (double Began, double Ended)? Work { get; init; }

    /// <summary>Time in a slot, in milliseconds.</summary>
    public double InSlot { get; init; }

    public required int Images { get; init; }

    /// <summary>Reads the columns that list_sample.sql selects.</summary>
    public static SampledItem Read(DbDataReader row) => new()
    {
        Outcome = ItemOutcomes.Table.Parse(row.GetString(0)),
        Code = row.Text(1),
        PromptTokens = row.GetInt32(2),
        CachedTokens = row.GetInt32(3),
        CompletionTokens = row.GetInt32(4),
        Worker = row.Text(5),
        Work = WorkOf(row),
        InSlot = row.IsDBNull(8) ? 0 : row.GetDouble(10) + row.GetDouble(11),
        Images = LedgerJson.ReadImages(row.GetString(12)).Count,
    };

    /// <summary>What the numbers of a sample say.</summary>
    public static SampleResult Measure(IReadOnlyList<SampledItem> items, DateTimeOffset now)
    {
        var answered = items.Where(item => item.Outcome == ItemOutcome.Succeeded).ToList();
        return new()
        {
            Items = items.Count,
            Succeeded = answered.Count,
            Causes = [.. items.Where(item => item.Code is not null).CountBy(item => item.Code!).OrderByDescending(code => code.Value).ThenBy(code => code.Key, StringComparer.Ordinal).Select(code => new SampleCause(code.Key, code.Value))],
            BusySeconds = items.GroupBy(item => item.Worker).Sum(worker => Covered(worker.Select(item => item.Work).OfType<(double Began, double Ended)>())) / 1000,
            SlotSeconds = items.Sum(item => item.InSlot) / 1000,
            PromptTokens = Spread.Of(answered.ConvertAll(item => item.PromptTokens)),
            CachedTokens = Spread.Of(answered.ConvertAll(item => item.CachedTokens)),
            CompletionTokens = Spread.Of(answered.ConvertAll(item => item.CompletionTokens)),
            Images = Spread.Of(answered.ConvertAll(item => item.Images)),
            DoneAt = now,
        };
    }

    /// <summary>Time in a slot where that is known; otherwise from the claim to the record.</summary>
    private static (double Began, double Ended)? WorkOf(DbDataReader row)
    {
        if (row.IsDBNull(6))
        {
            return null;
        }

        var claimed = (double)row.GetInt64(6);
        var began = row.IsDBNull(8) ? claimed : claimed + row.GetDouble(8) + row.GetDouble(9);
        return (began, row.IsDBNull(8) ? row.GetInt64(7) : began + row.GetDouble(10) + row.GetDouble(11));
    }

    /// <summary>How much time lies in at least one of the spans.</summary>
    private static double Covered(IEnumerable<(double Began, double Ended)> spans)
    {
        var (covered, until) = (0.0, double.MinValue);
        foreach (var (began, ended) in spans.OrderBy(span => span.Began))
        {
            covered += Math.Max(0, ended - Math.Max(began, until));
            until = Math.Max(until, ended);
        }

        return covered;
    }
}
