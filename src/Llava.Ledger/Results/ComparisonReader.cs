using System.Data.Common;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Results;

/// <summary>Sets the answers of two jobs side by side, image by image.</summary>
public sealed class ComparisonReader
{
    private readonly LedgerDatabase _database;

    internal ComparisonReader(LedgerDatabase database) => _database = database;

    /// <summary>A page of items of the left job for which the right one has the same images and, where items bring one, the same prompt.</summary>
    /// <param name="left">One job.</param>
    /// <param name="right">The other. Of two jobs on the same source items with the same number belong together, otherwise those with the same images.</param>
    /// <param name="filter">Which pairs.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<ComparedItem>> PageAsync(JobRecord left, JobRecord right, ComparisonFilter filter, CancellationToken cancellation = default) =>
        _database.ReadAsync(async (session, token) =>
        {
            List<ComparedItem> page = [];
            for (var after = filter.After; ;)
            {
                var found = await session.Statement(Name("page_comparison", left, right))
                    .Set("@left", left.Id.Value)
                    .Set("@right", right.Id.Value)
                    .Set("@after", after)
                    .Set("@agreement", filter.Agreement is { } agreement ? agreement == Agreement.Same ? 1 : 0 : (int?)null)
                    .Set("@limit", filter.Limit)
                    .ListAsync(row => (Item: Read(row), IsPair: row.GetInt32(14) != 0), token);
                page.AddRange(found.Where(one => one.IsPair).Select(one => one.Item).Take(filter.Limit - page.Count));
                // A folder may have changed between two jobs: what has the same number and another image is none of the page.
                if (found.Count < filter.Limit || page.Count == filter.Limit)
                {
                    return page;
                }

                after = found[^1].Item.ItemNo;
            }
        }, cancellation);

    /// <summary>How many pairs there are and how many of them agree; visits all.</summary>
    public async Task<AgreementCounts> CountAsync(JobRecord left, JobRecord right, CancellationToken cancellation = default) =>
        await _database.ReadAsync((session, token) => session.Statement(Name("count_comparison", left, right))
            .Set("@left", left.Id.Value)
            .Set("@right", right.Id.Value)
            .FirstAsync(row => new AgreementCounts(row.GetInt64(0), row.GetInt64(1)), token), cancellation) ?? new(0, 0);

    /// <summary>Numbers can be trusted where both jobs read the same source the same way; the statement compares the images all the same.</summary>
    private static string Name(string statement, JobRecord left, JobRecord right) =>
        left.Request.Source == right.Request.Source && left.Request.Prompts.Count == right.Request.Prompts.Count ? statement : statement + "_by_image";

    private static ComparedItem Read(DbDataReader row) => new()
    {
        ItemNo = row.GetInt32(0),
        CustomId = row.GetString(1),
        HasImage = row.GetString(2) != "[]",
        Prompt = row.Text(3),
        Left = Side(row, 4),
        RightItemNo = row.GetInt32(8),
        Right = Side(row, 9),
        Agree = row.GetInt32(13) != 0,
    };

    private static ComparedAnswer Side(DbDataReader row, int at) =>
        new(ItemOutcomes.Table.Parse(row.GetString(at)), row.Text(at + 1), row.IsDBNull(at + 2) ? null : row.GetDouble(at + 2), row.Text(at + 3));
}

/// <summary>An item that two jobs answered.</summary>
public sealed record ComparedItem
{
    /// <summary>The item within the left job.</summary>
    public required int ItemNo { get; init; }

    /// <summary>The left job's name for it.</summary>
    public required string CustomId { get; init; }

    /// <summary>Whether it has an image.</summary>
    public required bool HasImage { get; init; }

    /// <summary>Whether the image is one to show: it is there, and the left job could read it.</summary>
    public bool HasPicture => HasImage && Left.ErrorCode?.StartsWith("image_", StringComparison.Ordinal) != true;

    /// <summary>Its own prompt in the left job.</summary>
    public string? Prompt { get; init; }

    /// <summary>The left job's answer.</summary>
    public required ComparedAnswer Left { get; init; }

    /// <summary>The item within the right job.</summary>
    public required int RightItemNo { get; init; }

    /// <summary>The right job's answer.</summary>
    public required ComparedAnswer Right { get; init; }

    /// <summary>Whether both answered with the same words, in whatever case.</summary>
    public required bool Agree { get; init; }
}

/// <summary>One side of a comparison.</summary>
/// <param name="Outcome">What became of the item.</param>
/// <param name="Text">The answer.</param>
/// <param name="Confidence">How sure the model was.</param>
/// <param name="ErrorCode">Why it failed.</param>
public sealed record ComparedAnswer(ItemOutcome Outcome, string? Text, double? Confidence, string? ErrorCode);

/// <summary>Whether two answers say the same.</summary>
public enum Agreement
{
    /// <summary>Both answered with the same words.</summary>
    Same,

    /// <summary>They answered differently, or only one did.</summary>
    Different,
}

/// <summary>Which pairs to read.</summary>
public sealed record ComparisonFilter
{
    /// <summary>Only items of the left job after this one. Default −1, from the start.</summary>
    public int After { get; init; } = -1;

    /// <summary>Only pairs that agree, or only those that do not; null for all.</summary>
    public Agreement? Agreement { get; init; }

    /// <summary>Most pairs to return. Default 48.</summary>
    public int Limit { get; init; } = 48;
}

/// <summary>How often two jobs agree.</summary>
/// <param name="Pairs">Items that both have a result for.</param>
/// <param name="Same">Those answered with the same words.</param>
public sealed record AgreementCounts(long Pairs, long Same);
