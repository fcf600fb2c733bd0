using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi;

/// <summary>A page of a list, as OpenAI's libraries read it: they go on behind <paramref name="LastId"/> while <paramref name="HasMore"/>.</summary>
/// <param name="Data">The things, in an order that does not change.</param>
/// <param name="FirstId">Id of the first; null when there is none.</param>
/// <param name="LastId">Id of the last; null when there is none.</param>
/// <param name="HasMore">Whether there is a page behind this one.</param>
internal sealed record OpenAiPage<T>(IReadOnlyList<T> Data, string? FirstId, string? LastId, bool HasMore)
{
    public string Object { get; } = "list";
}

/// <summary>Which page is asked for.</summary>
/// <param name="After">Id of the last thing of the page before; null for the first page.</param>
/// <param name="Limit">How many at most.</param>
/// <param name="OldestFirst">Whether the oldest come first; else the newest.</param>
internal sealed record PageQuery(string? After, int Limit, bool OldestFirst)
{
    /// <summary>One more than the page holds: whether it is there tells whether there is another page.</summary>
    public int Fetch => Limit + 1;

    /// <summary>Reads <c>after</c>, <c>limit</c> and <c>order</c>.</summary>
    /// <exception cref="OpenAiException">One of them is wrong.</exception>
    public static PageQuery Of(HttpRequest request, int defaultLimit, int maxLimit) => new(
        Value(request, "after"),
        Value(request, "limit") is { } limit ? NumberOf(limit, maxLimit) : defaultLimit,
        Value(request, "order") switch
        {
            null or "desc" => false,
            "asc" => true,
            var order => throw OpenAiException.Invalid("invalid_value", $"'order' is '{order}'; give 'asc' or 'desc'.", "order"),
        });

    /// <summary>The page, out of what was found for <see cref="Fetch"/>.</summary>
    public OpenAiPage<T> Page<T>(IReadOnlyList<T> found, Func<T, string> idOf)
    {
        IReadOnlyList<T> data = found.Count > Limit ? [.. found.Take(Limit)] : found;
        return data.Count == 0 ? new(data, null, null, HasMore: false) : new(data, idOf(data[0]), idOf(data[^1]), found.Count > Limit);
    }

    private static string? Value(HttpRequest request, string name) => request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;

    private static int NumberOf(string limit, int maxLimit) =>
        int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= maxLimit
            ? number
            : throw OpenAiException.Invalid("invalid_value", $"'limit' is '{limit}'; give a number from 1 to {maxLimit.ToString(CultureInfo.InvariantCulture)}.", "limit");
}
