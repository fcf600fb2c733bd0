using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>What a pass computes with; allocated once.</summary>
internal sealed unsafe class DecoderBuffers : IDisposable
{
    private readonly NativeBuffer<float> _hidden;
    private readonly NativeBuffer<float> _normalized;
    private readonly NativeBuffer<float> _queryKeyValue;
    private readonly NativeBuffer<float> _mixed;
    private readonly NativeBuffer<float> _gateUp;

    /// <param name="config">Sizes.</param>
    /// <param name="scheme">How the weights are kept.</param>
    /// <param name="maxRows">Rows of the largest pass.</param>
    public DecoderBuffers(LanguageModelConfig config, QuantizationScheme scheme, int maxRows)
    {
        var queries = config.Heads * config.HeadSize;
        (_hidden, Hidden) = Allocate(config.HiddenSize);
        (_normalized, Normalized) = Allocate(config.HiddenSize);
        (_queryKeyValue, QueryKeyValue) = Allocate(queries + (2 * config.KeyValueHeads * config.HeadSize));
        (_mixed, Mixed) = Allocate(queries);
        (_gateUp, GateUp) = Allocate(2 * config.IntermediateSize);
        Integers = new QuantizedRows(maxRows, Math.Max(Math.Max(config.HiddenSize, queries), config.IntermediateSize), outlierThreshold: scheme == QuantizationScheme.LlmInt8 ? (float)config.OutlierThreshold : null);

        (NativeBuffer<float> Buffer, Rows Rows) Allocate(int columns)
        {
            // A line more: rows a whole page apart would all fall on the same few places of a cache.
            var stride = Panel.Padded(columns) + Panel.Lanes;
            NativeBuffer<float> buffer = new((long)maxRows * stride);
            return (buffer, new Rows(buffer.Start, stride));
        }
    }

    /// <summary>The residual stream (rows, hidden).</summary>
    public Rows Hidden { get; }

    /// <summary>After a norm (rows, hidden).</summary>
    public Rows Normalized { get; }

    /// <summary>Queries, keys and values side by side (rows, (heads + 2 · key-value heads) · head size).</summary>
    public Rows QueryKeyValue { get; }

    /// <summary>What attention gives (rows, heads · head size).</summary>
    public Rows Mixed { get; }

    /// <summary>Gate and up side by side (rows, 2 · intermediate), the gate becomes their product; up alone for MPT.</summary>
    public Rows GateUp { get; }

    /// <summary>The input of the next product, where the weights are integers.</summary>
    public QuantizedRows Integers { get; }

    /// <summary>Bytes of buffers for so many rows.</summary>
    public static long BytesOf(LanguageModelConfig config, int maxRows) =>
        sizeof(float) * maxRows * ((3L * config.HiddenSize) + (3L * config.Heads * config.HeadSize) + (3L * config.IntermediateSize));

    /// <inheritdoc/>
    public void Dispose()
    {
        _hidden.Dispose();
        _normalized.Dispose();
        _queryKeyValue.Dispose();
        _mixed.Dispose();
        _gateUp.Dispose();
        Integers.Dispose();
    }
}
