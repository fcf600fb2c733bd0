using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// Causal attention over sequences that lie one behind the other: each sees itself alone, as if the mask were block-diagonal. Only the attention itself is
/// padded, so that everything around it is computed for tokens and for nothing else.
/// </summary>
internal sealed class PackedAttention : IAttention
{
    private readonly PaddedAttention _padded;

    // Where tokens come from and go to; null where nothing is padded.
    private readonly Tensor? _tokenOfSlot;
    private readonly Tensor? _slotOfToken;

    /// <summary>The form for a device and a type: flash attention where libtorch has it, which pads nothing and writes no scores down; else this one.</summary>
    /// <param name="config">The decoder.</param>
    /// <param name="lengths">Tokens of each sequence.</param>
    /// <param name="device">Where it is computed.</param>
    /// <param name="type">Type that queries, keys and values come in.</param>
    public static IAttention For(LanguageModelConfig config, IReadOnlyList<int> lengths, Device device, ScalarType type) =>
        FlashPackedAttention.Fits(config, device.type, type) ? new FlashPackedAttention(lengths, device) : new PackedAttention(config, lengths, device);

    /// <summary>Lays the sequences out.</summary>
    /// <param name="config">The decoder.</param>
    /// <param name="lengths">Tokens of each sequence.</param>
    /// <param name="device">Where it is computed.</param>
    public PackedAttention(LanguageModelConfig config, IReadOnlyList<int> lengths, Device device)
    {
        var longest = lengths.Max();
        _padded = PaddedAttention.Causal(config, tensor(lengths.SelectMany(length => Enumerable.Range(0, longest).Select(i => i < length)).ToArray()).Upload(device).view(lengths.Count, longest));
        if (lengths.Any(length => length != longest))
        {
            long[] starts = [0, .. lengths.Select((_, row) => (long)lengths.Take(row + 1).Sum())];
            // A slot of padding shows any token: nothing looks at it.
            _tokenOfSlot = tensor(lengths.SelectMany((length, row) => Enumerable.Range(0, longest).Select(i => starts[row] + Math.Min(i, length - 1))).ToArray()).Upload(device);
            _slotOfToken = tensor(lengths.SelectMany((length, row) => Enumerable.Range(0, length).Select(i => ((long)row * longest) + i)).ToArray()).Upload(device);
        }
    }

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value) => _tokenOfSlot is null || _slotOfToken is null
        ? _padded.Attend(layer, query, key, value)
        : _padded.Attend(layer, query.index_select(0, _tokenOfSlot), key.index_select(0, _tokenOfSlot), value.index_select(0, _tokenOfSlot)).index_select(0, _slotOfToken);
}
