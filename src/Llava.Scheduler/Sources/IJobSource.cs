using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>Reads one kind of source, item by item, in an order that is the same each time.</summary>
internal interface IJobSource
{
    /// <summary>Reads the items after <paramref name="position"/>.</summary>
    /// <param name="source">The source.</param>
    /// <param name="position">What <see cref="SourceItem.Position"/> of the last item taken in said; null starts at the front.</param>
    /// <param name="cancellation">Stops reading.</param>
    /// <exception cref="SourceException">The source cannot be read at all.</exception>
    IAsyncEnumerable<SourceItem> ReadAsync(SourceDescription source, string? position, CancellationToken cancellation);
}

/// <summary>An item and where the reader goes on after it.</summary>
internal readonly record struct SourceItem(ExpandedItem Item, string Position);
