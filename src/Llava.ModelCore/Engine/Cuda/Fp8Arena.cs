using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// Keys and values in eight bits, each head of a position with a scale. What reads bfloat16 reads it from one layer's worth of it, of the same positions, where the extents that are
/// wanted are expanded for each layer anew.
/// </summary>
internal sealed class Fp8Arena : DeviceArena
{
    private readonly CudaSession _session;
    private readonly HeadShape _shape;
    private readonly int _positions;
    // (2 · layers, positions, key-value heads, head size) and (2 · layers, key-value heads, positions): a layer's keys, then its values.
    private readonly Tensor _codes;
    private readonly Tensor _scales;

    /// <param name="session">The device.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="positions">Positions.</param>
    /// <exception cref="EngineOptionsException">See <see cref="RequireSupported"/>.</exception>
    public Fp8Arena(CudaSession session, LanguageModelConfig config, int positions)
    {
        RequireSupported(config);
        (_session, _shape, _positions) = (session, Shape(config), positions);
        _codes = empty(2 * config.Layers, positions, _shape.Shared, _shape.Size, ScalarType.Byte, session.Device).DetachFromDisposeScope();
        _scales = empty(2 * config.Layers, _shape.Shared, positions, ScalarType.Float32, session.Device).DetachFromDisposeScope();
        Plain = new KvArena(config, positions, [session.Device], ScalarType.BFloat16);
    }

    /// <summary>Bytes of one position in all layers, and in the one that is bfloat16.</summary>
    public static long BytesPerPosition(LanguageModelConfig config) =>
        2L * config.KeyValueHeads * ((config.Layers * (long)(config.HeadSize + sizeof(float))) + (sizeof(ushort) * config.HeadSize));

    /// <inheritdoc/>
    public override KvArena Plain { get; }

    /// <summary>Bytes of it.</summary>
    public long Bytes => _codes.numel() + (_scales.numel() * sizeof(float)) + (2 * Plain.Keys(0).numel() * sizeof(ushort));

    /// <summary>Refuses a model whose heads our kernels do not take.</summary>
    /// <exception cref="EngineOptionsException">The message says what to do.</exception>
    public static void RequireSupported(LanguageModelConfig config)
    {
        if (!Shape(config).IsSupported)
        {
            throw new EngineOptionsException($"{EngineOptions.SectionName}:{nameof(EngineOptions.Cuda)}:{nameof(CudaOptions.KvCache)} is {KvCacheType.Fp8}, which takes heads of 16 to {HeadShape.MaxSize} numbers in steps of 16, and this model's have {config.HeadSize}. Use {KvCacheType.BFloat16}.");
        }
    }

    /// <inheritdoc/>
    public override KvLayer Layer(int layer)
    {
        var (numbers, scales) = ((long)_positions * _shape.Shared * _shape.Size, (long)_shape.Shared * _positions * sizeof(float));
        var (codes, first) = (StableShim.Address(_codes.Handle) + (nint)(2 * layer * numbers), StableShim.Address(_scales.Handle) + (nint)(2 * layer * scales));
        return new(codes, codes + (nint)numbers, first, first + (nint)scales, _positions);
    }

    /// <inheritdoc/>
    public override void Write(int layer, Tensor positions, Tensor keys, Tensor values)
    {
        Write(2 * layer, positions, keys);
        Write((2 * layer) + 1, positions, values);
    }

    /// <inheritdoc/>
    public override int MakeReadable(int layer, DevicePass pass, int firstSpan)
    {
        var spans = pass.Spans.Count - firstSpan;
        KvLayer target = new(StableShim.Address(Plain.Keys(0).Handle), StableShim.Address(Plain.Values(0).Handle));
        new ExtentExpansion(Layer(layer), target, pass.Block.Address(pass.Starts.Slice(firstSpan, spans)), pass.Block.Address(pass.Lengths.Slice(firstSpan, spans)))
            .Launch(_session.Kernels, spans, pass.Spans.Skip(firstSpan).Max(span => span.Visible), _shape);
        return 0;
    }

    /// <inheritdoc/>
    public override void Copy(int source, int target, int count)
    {
        using var scope = NewDisposeScope();
        _codes.narrow(1, target, count).copy_(_codes.narrow(1, source, count));
        _scales.narrow(2, target, count).copy_(_scales.narrow(2, source, count));
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Plain.Dispose();
        _scales.Dispose();
        _codes.Dispose();
    }

    private static HeadShape Shape(LanguageModelConfig config) => new(config.Heads, config.KeyValueHeads, config.HeadSize);

    private void Write(int part, Tensor positions, Tensor numbers)
    {
        using var scope = NewDisposeScope();
        var half = numbers.to(ScalarType.BFloat16).contiguous();
        var (rows, codes) = (half.shape[0], empty(half.shape, ScalarType.Byte, half.device));
        var scales = empty(rows, _shape.Shared, ScalarType.Float32, half.device);
        Fp8Kernels.Quantize(_session.Kernels, StableShim.Address(half.Handle), new(StableShim.Address(codes.Handle), StableShim.Address(scales.Handle)), (int)rows * _shape.Shared, _shape.Size);
        _codes.select(0, part).index_copy_(0, positions, codes);
        _scales.select(0, part).index_copy_(1, positions, scales.t());
    }
}
