using System.Data.Common;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Reviews;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Results;

/// <summary>Reads results to be looked at: filtered, in either order, and with what people said of them.</summary>
public sealed class GalleryReader
{
    private const int ReviewColumn = 27;
    private const int MostCategories = 200;

    private readonly LedgerDatabase _database;

    internal GalleryReader(LedgerDatabase database) => _database = database;

    /// <summary>One page.</summary>
    public Task<List<GalleryItem>> PageAsync(JobId job, GalleryFilter filter, CancellationToken cancellation = default) => _database.ReadAsync(async (session, token) =>
    {
        if (!filter.LeastSureFirst)
        {
            return await (filter.Category is null
                ? Page(session, "page_gallery", job, filter)
                : Page(session, "page_gallery_of_category", job, filter).Set("@category", filter.Category)).ListAsync(Read, token);
        }

        // Items without a measure stand behind the surest, in their order.
        var (isMeasured, after) = (filter.After is null or { Confidence: not null }, filter.After?.Confidence ?? -1);
        var page = isMeasured ? await Page(session, "page_gallery_by_confidence", job, filter).Set("@category", filter.Category).Set("@confidence", after).ListAsync(Read, token) : [];
        if (page.Count < filter.Limit)
        {
            var rest = filter with { After = isMeasured ? null : filter.After, Limit = filter.Limit - page.Count };
            page.AddRange(await Page(session, "page_gallery_without_confidence", job, rest).Set("@category", filter.Category).ListAsync(Read, token));
        }

        return page;
    }, cancellation);

    /// <summary>The item; null while it has no result.</summary>
    public async Task<GalleryItem?> FindAsync(JobId job, int itemNo, CancellationToken cancellation = default) =>
        (await PageAsync(job, new() { After = new(itemNo - 1), Limit = 1 }, cancellation)).Find(item => item.Item.ItemNo == itemNo);

    /// <summary>Categories of the job's items, by name; the first of very many.</summary>
    public Task<List<string>> CategoriesAsync(JobId job, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_categories")
            .Set("@job", job.Value)
            .Set("@limit", MostCategories)
            .ListAsync(row => row.GetString(0), token), cancellation);

    private static SqlStatement Page(LedgerSession session, string name, JobId job, GalleryFilter filter) => session.Statement(name)
        .Set("@job", job.Value)
        .Set("@after", filter.After?.ItemNo ?? -1)
        .Set("@outcome", filter.Outcome?.WireName())
        .Set("@code", filter.ErrorCode)
        .Set("@text", filter.Text is { Length: > 0 } text ? LikePattern.Containing(text) : null)
        .Set("@verdict", filter.Unreviewed ? "unreviewed" : filter.Verdict?.WireName())
        .Set("@limit", filter.Limit);

    private static GalleryItem Read(DbDataReader row) => new(ResultReader.Read(row), Review.Read(row, ReviewColumn));
}

/// <summary>An item with its result and the review that holds.</summary>
/// <param name="Item">The item.</param>
/// <param name="Review">What was said of it last; null when nobody looked at it.</param>
public sealed record GalleryItem(ItemResult Item, Review? Review)
{
    /// <summary>Where a page goes on after this item.</summary>
    public GalleryPosition Position => new(Item.ItemNo, Item.Result.Confidence);
}

/// <summary>A place in a job's results.</summary>
/// <param name="ItemNo">The item before.</param>
/// <param name="Confidence">How sure the model was of it; counts where the least sure come first.</param>
public sealed record GalleryPosition(int ItemNo, double? Confidence = null);

/// <summary>Which results to show, and in which order.</summary>
public sealed record GalleryFilter
{
    /// <summary>The last item of the page before; null for the first page.</summary>
    public GalleryPosition? After { get; init; }

    /// <summary>Only this outcome; null for all.</summary>
    public ItemOutcome? Outcome { get; init; }

    /// <summary>Only failures with this code; null for all.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Only items of this category; null for all.</summary>
    public string? Category { get; init; }

    /// <summary>Only items in whose answer, prompt or name this stands, in whatever case; null for all.</summary>
    public string? Text { get; init; }

    /// <summary>Only items whose review says this; null for all.</summary>
    public ReviewVerdict? Verdict { get; init; }

    /// <summary>Only items that nobody looked at. Default false.</summary>
    public bool Unreviewed { get; init; }

    /// <summary>Whether the items of which the model was least sure come first; otherwise they come by number. Default false.</summary>
    public bool LeastSureFirst { get; init; }

    /// <summary>Most items to return. Default 48.</summary>
    public int Limit { get; init; } = 48;
}
