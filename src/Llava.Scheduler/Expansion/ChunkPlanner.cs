using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Expansion;

/// <summary>
/// Cuts items into chunks. Neighbours on the same image stay together, so that the engine reads it once: a chunk is full at
/// its size, but is only cut where the image changes, or at twice its size. A chunk asks one model.
/// </summary>
internal sealed class ChunkPlanner(JobRequest request)
{
    // An English token is about four letters; an exact count would need the tokenizer.
    private const int LettersPerToken = 4;

    private readonly List<ExpandedItem> _open = [];
    private readonly List<ExpandedChunk> _full = [];

    /// <summary>Items in full chunks.</summary>
    public int FullItems { get; private set; }

    /// <summary>Adds the next item; true when it begins a new chunk, that is when everything before it may be committed.</summary>
    public bool Add(ExpandedItem item)
    {
        var begins = AsksAnother(item) || (_open.Count >= request.ChunkItems && (_open.Count >= 2 * request.ChunkItems || !SameImage(_open[^1], item)));
        if (begins)
        {
            Cut();
        }

        _open.Add(item);
        return begins;
    }

    /// <summary>Takes the full chunks out.</summary>
    public List<ExpandedChunk> TakeFull()
    {
        List<ExpandedChunk> taken = [.. _full];
        _full.Clear();
        FullItems = 0;
        return taken;
    }

    /// <summary>Takes everything out, the last chunk as short as it is.</summary>
    public List<ExpandedChunk> TakeAll()
    {
        if (_open.Count > 0)
        {
            Cut();
        }

        return TakeFull();
    }

    private void Cut()
    {
        _full.Add(new([.. _open], _open.Sum(TokensOf)));
        FullItems += _open.Count;
        _open.Clear();
    }

    private long TokensOf(ExpandedItem item) => item.Rejection is not null
        ? 0
        : (item.Spec.Chat?.Settings.MaxNewTokens ?? request.Generation.MaxNewTokens) + ((item.Spec.Prompt ?? request.Prompt ?? "").Length / LettersPerToken);

    private bool AsksAnother(ExpandedItem item) => item.Rejection is null && _open.Find(other => other.Rejection is null) is { } first && first.Spec.Model != item.Spec.Model;

    private static bool SameImage(ExpandedItem left, ExpandedItem right) =>
        left.Spec.Images.Count > 0 && right.Spec.Images.Count > 0 && left.Spec.Images[0] == right.Spec.Images[0];
}
