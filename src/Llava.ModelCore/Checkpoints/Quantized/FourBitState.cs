using System.Text.Json;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Quantized;

/// <summary>What bitsandbytes saves beside a weight of four bits.</summary>
/// <param name="Where">File and tensor, for messages.</param>
/// <param name="Shape">Of the weight.</param>
/// <param name="Type">It was made from, and is given back in.</param>
/// <param name="Block">Values that share a magnitude.</param>
/// <param name="NestedBlock">Magnitudes that share one of their own, where they are quantized once more.</param>
/// <param name="NestedOffset">Mean that was taken off them; null where they are float32.</param>
internal sealed record FourBitState(string Where, IReadOnlyList<long> Shape, ScalarType Type, int Block, int NestedBlock, float? NestedOffset)
{
    private const int Codes = 16;
    private const int ByteCodes = 256;

    private long Count { get; } = Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Reads the JSON that stands in a tensor of bytes.</summary>
    /// <exception cref="CheckpointException">It cannot be understood.</exception>
    public static FourBitState Read(ITensorSource source, string name)
    {
        try
        {
            using var bytes = source.Read(name);
            using var json = JsonDocument.Parse(bytes.bytes.ToArray());
            var root = json.RootElement;
            var isNested = root.TryGetProperty("nested_offset", out var offset);
            return new FourBitState(
                $"'{source.Path}': '{name}'",
                [.. root.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
                root.GetProperty("dtype").GetString() switch { "float16" => ScalarType.Float16, "bfloat16" => ScalarType.BFloat16, _ => ScalarType.Float32 },
                root.GetProperty("blocksize").GetInt32(),
                isNested ? root.GetProperty("nested_blocksize").GetInt32() : 1,
                isNested ? offset.GetSingle() : null).Checked();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException($"'{source.Path}': '{name}' is not what bitsandbytes saves beside a weight: {e.Message}", e);
        }
    }

    /// <summary>Two codes in a byte, the first in the high half, → the weight.</summary>
    /// <param name="packed">uint8.</param>
    /// <param name="beside">Gives what else is saved, by the end of its name.</param>
    /// <exception cref="CheckpointException">The parts do not belong together.</exception>
    public Tensor Dequantize(Tensor packed, Func<string, Tensor> beside)
    {
        var book = Sized(beside(".quant_map"), Codes).to(ScalarType.Float32);
        var pairs = stack([book.repeat_interleave(Codes), book.repeat(Codes)], 1); // both values of each byte
        var magnitudes = Sized(beside(".absmax"), Blocks(Count, Block));
        if (NestedOffset is { } offset)
        {
            var values = Sized(beside(".nested_quant_map"), ByteCodes).index_select(0, magnitudes.to(ScalarType.Int32));
            var scales = Sized(beside(".nested_absmax"), Blocks(values.shape[0], NestedBlock));
            magnitudes = values.mul(scales.repeat_interleave(NestedBlock).narrow(0, 0, values.shape[0])).add(Scalars.Of(offset));
        }

        var weights = pairs.index_select(0, Sized(packed, Blocks(Count, 2)).to(ScalarType.Int32)).flatten().narrow(0, 0, Count);
        return weights.mul(magnitudes.repeat_interleave(Block).narrow(0, 0, Count)).view([.. Shape]).to(Type);
    }

    private static long Blocks(long values, int size) => (values + size - 1) / size;

    private FourBitState Checked() => Block > 0 && NestedBlock > 0 && Shape.All(size => size > 0) ? this : throw new CheckpointException($"{Where} has blocks of {Block} and {NestedBlock} for a shape of [{string.Join(", ", Shape)}]. The file is corrupt.");

    private Tensor Sized(Tensor part, long count) => part.NumberOfElements == count
        ? part.flatten()
        : throw new CheckpointException($"{Where} belongs to a weight of shape [{string.Join(", ", Shape)}], and a part of it has {part.NumberOfElements} values instead of {count}. The file is corrupt.");
}
