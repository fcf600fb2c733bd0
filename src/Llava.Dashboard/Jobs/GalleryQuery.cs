using System.Globalization;
using Llava.Contracts.States;
using Llava.Ledger.Results;
using Microsoft.AspNetCore.WebUtilities;

namespace Llava.Dashboard.Jobs;

/// <summary>What a gallery is asked for, as its address says it.</summary>
public sealed record GalleryQuery
{
    /// <summary>Items on a page.</summary>
    public const int PageSize = 48;

    private const string ByConfidence = "confidence";
    private const string NotReviewed = "unreviewed";

    /// <summary>Words in the answer, the prompt or the name.</summary>
    public string? Q { get; init; }

    /// <summary>Only this outcome.</summary>
    public string? Outcome { get; init; }

    /// <summary>Only failures with this code.</summary>
    public string? Code { get; init; }

    /// <summary>Only this category.</summary>
    public string? Category { get; init; }

    /// <summary><c>unreviewed</c>, or a verdict.</summary>
    public string? Review { get; init; }

    /// <summary><c>confidence</c> for the least sure first.</summary>
    public string? Order { get; init; }

    /// <summary>Number of the item before and, in the order of confidence, its confidence: <c>17</c> or <c>17:0.25</c>.</summary>
    public string? After { get; init; }

    /// <summary>Whether it asks for less than all.</summary>
    public bool IsFiltered => Q is not null || Outcome is not null || Code is not null || Category is not null || Review is not null;

    /// <summary>The filter for the ledger, with room for one more item that tells whether there is another page.</summary>
    public GalleryFilter Filter() => new()
    {
        After = Position(),
        Outcome = Outcome is not null && ItemOutcomes.Table.TryParse(Outcome, out var outcome) ? outcome : null,
        ErrorCode = Code,
        Category = Category,
        Text = Q,
        Unreviewed = Review == NotReviewed,
        Verdict = Review is not null && ReviewVerdicts.Table.TryParse(Review, out var verdict) ? verdict : null,
        LeastSureFirst = Order == ByConfidence,
        Limit = PageSize + 1,
    };

    /// <summary>The query of the page after this item.</summary>
    public GalleryQuery Behind(GalleryItem item) => this with
    {
        After = Order == ByConfidence && item.Item.Result.Confidence is { } confidence
            ? string.Create(CultureInfo.InvariantCulture, $"{item.Item.ItemNo}:{confidence:R}")
            : item.Item.ItemNo.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The same as a query string, without its question mark.</summary>
    public override string ToString() => QueryHelpers.AddQueryString("", Fields().Where(field => !string.IsNullOrWhiteSpace(field.Value))!).TrimStart('?');

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static GalleryQuery Parse(string query)
    {
        var fields = QueryHelpers.ParseQuery(query);
        return new()
        {
            Q = Text("q"), Outcome = Text("outcome"), Code = Text("code"), Category = Text("category"), Review = Text("review"), Order = Text("order"), After = Text("after"),
        };

        string? Text(string name) => fields.TryGetValue(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.ToString().Trim() : null;
    }

    private GalleryPosition? Position()
    {
        var parts = After?.Split(':') ?? [];
        return parts.Length > 0 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var item)
            ? new(item, parts.Length > 1 && double.TryParse(parts[1], CultureInfo.InvariantCulture, out var confidence) ? confidence : null)
            : null;
    }

    private Dictionary<string, string?> Fields() => new()
    {
        ["q"] = Q, ["outcome"] = Outcome, ["code"] = Code, ["category"] = Category, ["review"] = Review, ["order"] = Order, ["after"] = After,
    };
}
