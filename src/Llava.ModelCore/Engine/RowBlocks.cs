using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>
/// The numbers of rows that decoding passes are padded to. A matrix product may sum a row in another order when the number of
/// rows or the row's place among them differs, which would let neighbours change an answer (seen with libtorch's float32
/// product at 1 and at 6 rows). So only those sizes are used that give a row the same bits at every place and in each other.
/// </summary>
/// <param name="sizes">Ascending.</param>
internal sealed class RowBlocks(IReadOnlyList<int> sizes)
{
    private static readonly int[] Candidates = [8, 4, 16, 32];

    /// <summary>Block sizes, ascending.</summary>
    public IReadOnlyList<int> Sizes { get; } = sizes;

    /// <summary>The block for so many rows: the smallest that holds them, or the largest there is.</summary>
    public int For(int rows)
    {
        foreach (var size in Sizes)
        {
            if (size >= rows)
            {
                return size;
            }
        }

        return Sizes[^1];
    }

    /// <summary>Runs the model's own layers on equal rows in every candidate size and keeps the sizes that agree to the bit; one row alone when none does.</summary>
    public static RowBlocks Probe(LanguageModel model, int maxRows)
    {
        using var mode = inference_mode();
        var rows = Candidates.Where(size => size == Candidates[0] || size < 2 * maxRows).ToDictionary(size => size, size => LogitsOfEqualRows(model, size));
        var first = Candidates.FirstOrDefault(size => rows.GetValueOrDefault(size) is not null);
        return new RowBlocks(first == 0 ? [1] : [.. rows.Where(r => r.Value is { } bytes && bytes.AsSpan().SequenceEqual(rows[first])).Select(r => r.Key).Order()]);
    }

    /// <summary>The bytes of one row's logits, or null when the row's place changes them.</summary>
    private static byte[]? LogitsOfEqualRows(LanguageModel model, int rows)
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var row = tensor([.. Enumerable.Range(0, model.Config.HiddenSize).Select(_ => (float)(random.NextDouble() - 0.5))]);
        var device = model.parameters().First().device;
        var embeddings = row.to(device).expand(rows, -1).contiguous();
        var hidden = model.Forward(embeddings, zeros(rows, ScalarType.Int64, device), 1, new SelfAttentionOnly());
        var bytes = model.Logits(hidden).cpu().bytes;
        var length = bytes.Length / rows;
        for (var i = 1; i < rows; i++)
        {
            if (!bytes.Slice(i * length, length).SequenceEqual(bytes[..length]))
            {
                return null;
            }
        }

        return bytes[..length].ToArray();
    }

    /// <summary>Each token sees itself: what attention gives at the first position.</summary>
    private sealed class SelfAttentionOnly : IAttention
    {
        public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value) => value.repeat_interleave(query.shape[1] / value.shape[1], 1);
    }
}
