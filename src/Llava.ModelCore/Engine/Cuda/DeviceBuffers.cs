using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native.Shim;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>What lies between the layers' operations, allocated once for the largest pass, bfloat16; and one place for rows in eight bits, which are used up before the next are made.</summary>
internal sealed class DeviceBuffers : IDisposable
{
    // Of which passes get a part with the rows that sample, too.
    private const int Normed = 2;

    private readonly Tensor[] _all;
    private readonly Tensor? _codes;
    private readonly Tensor? _scales;

    /// <param name="config">The decoder.</param>
    /// <param name="rows">Rows of the largest pass.</param>
    /// <param name="options">Rows that sample at most, and whether products take eight bits.</param>
    /// <param name="device">Where they lie.</param>
    public DeviceBuffers(LanguageModelConfig config, int rows, EngineOptions options, Device device)
    {
        var sampled = options.MaxSlots;
        _all =
        [
            .. Widths(config).Select(width => empty(rows, width, ScalarType.BFloat16, device).DetachFromDisposeScope()),
            empty(sampled, config.HiddenSize, ScalarType.BFloat16, device).DetachFromDisposeScope(),
            empty(sampled, config.VocabularySize, ScalarType.BFloat16, device).DetachFromDisposeScope(),
            empty(sampled, config.VocabularySize, ScalarType.Float32, device).DetachFromDisposeScope(),
        ];
        if (options.Quantize == QuantizationScheme.Fp8)
        {
            _codes = empty(rows * WidestInput(config), ScalarType.Byte, device).DetachFromDisposeScope();
            _scales = empty(rows, 1, ScalarType.Float32, device).DetachFromDisposeScope();
        }
    }

    /// <summary>Bytes of them.</summary>
    public static long BytesOf(LanguageModelConfig config, int rows, EngineOptions options)
    {
        long sampled = options.MaxSlots;
        return checked(
            ((long)rows * sizeof(ushort) * Widths(config).Sum())
            + (sampled * ((sizeof(ushort) * (long)config.HiddenSize) + ((sizeof(ushort) + sizeof(float)) * (long)config.VocabularySize)))
            + (options.Quantize == QuantizationScheme.Fp8 ? rows * (WidestInput(config) + sizeof(float)) : 0));
    }

    /// <summary>The buffers of a pass, views in the caller's scope.</summary>
    public PassBuffers For(int rows, int sampled)
    {
        var views = _all.Select((buffer, i) => buffer.narrow(0, 0, i < _all.Length - 3 ? rows : sampled)).ToArray();
        return new(views[0], views[1], Input(views[2]), views[3], views[4], Input(views[5]), views[6], Input(views[7]), _all[Normed].narrow(0, 0, sampled), views[8], views[9], views[10]);

        DeviceRows Input(Tensor numbers) => new(numbers, _codes is null ? null : new Fp8Rows(
            StableShim.AsFloat8(_codes.narrow(0, 0, rows * numbers.shape[1]).view(rows, numbers.shape[1])), _scales!.narrow(0, 0, rows)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_all, buffer => buffer.Dispose());
        _codes?.Dispose();
        _scales?.Dispose();
    }

    private static long[] Widths(LanguageModelConfig config)
    {
        long hidden = config.HiddenSize, queries = (long)config.Heads * config.HeadSize, merged = (config.Heads + (2L * config.KeyValueHeads)) * config.HeadSize;
        return [hidden, hidden, hidden, merged, queries, queries, 2L * config.IntermediateSize, config.IntermediateSize];
    }

    private static long WidestInput(LanguageModelConfig config) => Math.Max(Math.Max(config.HiddenSize, (long)config.Heads * config.HeadSize), config.IntermediateSize);
}

/// <summary>Buffers of one pass, each with as many rows as the pass has; the last four with as many as sample.</summary>
/// <param name="Residual">(rows, hidden): the residual stream.</param>
/// <param name="Delta">(rows, hidden): what the last block adds to it.</param>
/// <param name="Normed">(rows, hidden).</param>
/// <param name="Merged">(rows, (heads + 2 · shared) · size): queries, keys and values before they are turned.</param>
/// <param name="Queries">(rows, heads · size), turned.</param>
/// <param name="Mixed">(rows, heads · size): what attention gives.</param>
/// <param name="Gates">(rows, 2 · intermediate).</param>
/// <param name="Gated">(rows, intermediate).</param>
/// <param name="Last">(sampled, hidden): their residual stream, where <paramref name="Normed"/> begins.</param>
/// <param name="Final">(sampled, hidden): what the last layer adds to it, then what is behind the last norm.</param>
/// <param name="Products">(sampled, vocabulary), bfloat16.</param>
/// <param name="Logits">(sampled, vocabulary), float32.</param>
internal sealed record PassBuffers(
    Tensor Residual, Tensor Delta, DeviceRows Normed, Tensor Merged, Tensor Queries, DeviceRows Mixed, Tensor Gates, DeviceRows Gated, Tensor Last, Tensor Final, Tensor Products, Tensor Logits)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<Tensor> All => [Residual, Delta, .. Normed.All, Merged, Queries, .. Mixed.All, Gates, .. Gated.All, Last, Final, Products, Logits];
}
