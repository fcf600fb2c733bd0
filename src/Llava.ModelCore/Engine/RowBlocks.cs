using System.Security.Cryptography;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>
/// The numbers of rows that shared passes are padded to. A matrix product may sum a row in another order when the number of
/// rows or the row's place among them differs, which would let neighbours change an answer (seen with libtorch's float32
/// product at 1 and at 6 rows). So only those sizes are used that give a row the same bits at every place and in each other.
/// </summary>
/// <param name="sizes">Ascending.</param>
internal sealed class RowBlocks(IReadOnlyList<int> sizes)
{
    private static readonly int[] Candidates = [8, 16, 32, 48, 64, 96, 128, 192, 256];

    /// <summary>Block sizes, ascending.</summary>
    public IReadOnlyList<int> Sizes { get; } = sizes;

    /// <summary>Rows that fit a block.</summary>
    public int Largest => Sizes[^1];

    /// <summary>The smallest block that holds so many rows; the rows themselves when there are more than any block holds.</summary>
    public int For(int rows)
    {
        foreach (var size in Sizes)
        {
            if (size >= rows)
            {
                return size;
            }
        }

        return rows;
    }

    /// <summary>
    /// Runs the model's own layers on equal rows in every candidate size and keeps the most sizes that agree to the bit; one row
    /// alone when none keeps its rows equal.
    /// </summary>
    /// <param name="model">The model. The larger it is, the fewer sizes are tried: the probe takes about the work of a prompt.</param>
    public static RowBlocks Probe(LanguageModel model)
    {
        const long ParameterRows = 2_000_000_000;
        using var mode = inference_mode();
        var most = Math.Clamp(ParameterRows / model.parameters().Sum(p => p.numel()), 32, Candidates[^1]);
        var agreeing = Candidates.Where(size => size <= most)
            .Select(size => (Size: size, Row: RowOfEqualRows(model, size)))
            .Where(probe => probe.Row is not null)
            .GroupBy(probe => probe.Row, probe => probe.Size)
            .MaxBy(group => group.Count());
        return new RowBlocks(agreeing is null ? [1] : [.. agreeing]);
    }

    /// <summary>What one row's logits are, or null when the row's place changes them.</summary>
    private static string? RowOfEqualRows(LanguageModel model, int rows)
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var device = model.parameters().First().device;
        var row = tensor([.. Enumerable.Range(0, model.Config.HiddenSize).Select(_ => (float)(random.NextDouble() - 0.5))], device: device);
        var hidden = model.Forward(row.expand(rows, -1).contiguous(), zeros(rows, ScalarType.Int64, device), 1, new SelfAttentionOnly());
        var bytes = model.Logits(hidden).cpu().bytes;
        var length = bytes.Length / rows;
        for (var i = 1; i < rows; i++)
        {
            if (!bytes.Slice(i * length, length).SequenceEqual(bytes[..length]))
            {
                return null;
            }
        }

        return Convert.ToHexString(SHA256.HashData(bytes[..length]));
    }

    /// <summary>Each token sees itself: what attention gives at the first position.</summary>
    private sealed class SelfAttentionOnly : IAttention
    {
        public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value) => value.repeat_interleave(query.shape[1] / value.shape[1], 1);
    }
}
