using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>Reads one kind of source, item by item, in an order that is the same each time.</summary>
internal interface IJobSource
{
    /// <summary>Reads the items after <paramref name="position"/>.</summary>
    /// <param name="request">The job, with its source.</param>
    /// <param name="position">What <see cref="SourceItem.Position"/> of the last item taken in said; null starts at the front.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="SourceException">The source cannot be read, or not on.</exception>
    IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, CancellationToken cancellation);
}

/// <summary>An item as its source describes it.</summary>
/// <param name="Item">The item.</param>
/// <param name="Position">Where the reader goes on after it; the reader's own notation.</param>
internal sealed record SourceItem(ExpandedItem Item, string Position)
{
    /// <summary>Where it stands in its file; null for a file of a folder, which stands in none.</summary>
    public RecordPlace? Place { get; init; }

    /// <summary>Whether its name is its own; otherwise it is <see cref="RecordPlace.Name"/>.</summary>
    public bool IsNamed { get; init; } = true;

    /// <summary>Its fields by name, for prompts.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;
}

/// <summary>Where a record stands in its file, as a person would look for it.</summary>
/// <param name="Unit">What the format calls its records: <c>line</c>, <c>row</c>, <c>image</c>, <c>record</c>, <c>sample</c>.</param>
/// <param name="Number">Counted from 1.</param>
/// <param name="Path">The file.</param>
internal readonly record struct RecordPlace(string Unit, int Number, string Path)
{
    /// <summary>Name of an item that has none.</summary>
    public string Name => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Unit}-{Number}");

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{char.ToUpperInvariant(Unit[0])}{Unit[1..]} {Number} of '{Path}'");
}
