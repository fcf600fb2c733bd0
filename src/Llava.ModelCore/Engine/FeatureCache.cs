using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Projected image features by content hash, least recently used out first.</summary>
/// <param name="maxBytes">Bytes of features kept.</param>
internal sealed class FeatureCache(long maxBytes) : IDisposable
{
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = [];
    // Most recently used first.
    private readonly LinkedList<Entry> _order = [];
    private long _bytes;

    /// <summary>
    /// The features (features, hidden) of an image; null if they are not here. The tensor belongs to the caller's scope; it shares the cached storage, so an eviction while it is in use does
    /// no harm.
    /// </summary>
    public Tensor? Find(ImageInput image)
    {
        if (!_entries.TryGetValue(image.ContentHash, out var node))
        {
            return null;
        }

        _order.Remove(node);
        _order.AddFirst(node);
        return node.Value.Features.alias();
    }

    /// <summary>Keeps the features of an image that is not here, if there is room for them at all. The tensor stays the caller's.</summary>
    public void Keep(ImageInput image, Tensor features)
    {
        var bytes = features.numel() * features.ElementSize;
        if (bytes <= maxBytes)
        {
            MakeRoom(bytes);
            _entries.Add(image.ContentHash, _order.AddFirst(new Entry(image.ContentHash, features.alias().DetachFromDisposeScope(), bytes)));
            _bytes += bytes;
        }
    }

    public void Dispose() => MakeRoom(maxBytes);

    private void MakeRoom(long bytes)
    {
        while (_bytes > maxBytes - bytes && _order.Last is { } oldest)
        {
            _order.RemoveLast();
            _entries.Remove(oldest.Value.Hash);
            _bytes -= oldest.Value.Bytes;
            oldest.Value.Features.Dispose();
        }
    }

    private sealed record Entry(string Hash, Tensor Features, long Bytes);
}
