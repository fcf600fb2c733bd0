using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// Attention of a pass's rows to the extents of their sequences. Rows that decode have a kernel of ours; the others have libtorch's flash attention, and where that is not there or
/// not wanted, plain products in float32, which are the reference for both.
/// </summary>
internal sealed class DeviceAttention : IDisposable
{
    private readonly CudaSession _session;
    private readonly LanguageModelConfig _config;
    private readonly DeviceArena _arena;
    private readonly HeadShape _shape;
    private readonly bool _usesFlash;
    private readonly Tensor? _scratch;
    private SpanAttention? _plain;

    /// <param name="session">The device.</param>
    /// <param name="options">Which of the forms.</param>
    /// <param name="config">The decoder.</param>
    /// <param name="arena">Where keys and values lie.</param>
    /// <param name="rows">Rows that decode at most.</param>
    /// <param name="longest">Positions of a sequence at most.</param>
    public DeviceAttention(CudaSession session, CudaOptions options, LanguageModelConfig config, DeviceArena arena, int rows, int longest)
    {
        (_session, _config, _arena, _shape) = (session, config, arena, Shape(config));
        _usesFlash = options.FlashAttention && session.IsCuda;
        HasDecoding = options.DecodeAttention && _shape.IsSupported;
        _scratch = HasDecoding ? empty(ScratchBytes(options, config, rows, longest), ScalarType.Byte, session.Device).DetachFromDisposeScope() : null;
    }

    /// <summary>Whether rows that decode have their own kernel.</summary>
    public bool HasDecoding { get; }

    /// <summary>Bytes that the decoding kernel works with.</summary>
    public static long ScratchBytes(CudaOptions options, LanguageModelConfig config, int rows, int longest) =>
        options.DecodeAttention ? DecodeAttention.ScratchBytes(rows, longest, Shape(config)) : 0;

    /// <summary>Prepares what all layers share.</summary>
    public void Begin(DevicePass pass) => _plain = _usesFlash || pass.Rows == pass.Apart ? null : new SpanAttention(_arena.Plain, [.. pass.Spans.Skip(pass.Apart)], _session.Device);

    /// <summary>Attends for one layer, whose keys and values are stored.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="pass">The rows.</param>
    /// <param name="queries">(rows, heads · size), turned.</param>
    /// <param name="mixed">(rows, heads · size), written.</param>
    public void Attend(int layer, DevicePass pass, Tensor queries, Tensor mixed)
    {
        if (pass.Apart > 0)
        {
            new DecodeAttention(
                At(queries), _arena.Layer(layer), pass.Block.Address(pass.Starts), pass.Block.Address(pass.Lengths), At(_scratch!), At(mixed))
                .Launch(_session.Kernels, pass.Apart, pass.Longest, _shape, 1 / MathF.Sqrt(_config.HeadSize));
        }

        var rows = pass.Rows - pass.Apart;
        if (rows > 0)
        {
            var own = queries.narrow(0, pass.Apart, rows).view(rows, _config.Heads, _config.HeadSize);
            var readable = _arena.MakeReadable(layer, pass, pass.Apart);
            var attended = _plain?.Mix(readable, own) ?? Flash(readable, pass, own);
            mixed.narrow(0, pass.Apart, rows).copy_(attended.view(rows, -1));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch?.Dispose();

    private Tensor Flash(int layer, DevicePass pass, Tensor queries)
    {
        var spans = pass.Spans.Skip(pass.Apart).ToArray();
        return FlashAttention.Over(
            queries, _arena.Plain.Keys(layer), _arena.Plain.Values(layer),
            pass.Block[pass.QueryOffsets], pass.Block[pass.Starts.Slice(pass.Apart, spans.Length + 1)], pass.Block[pass.Lengths.Slice(pass.Apart, spans.Length)],
            spans.Max(span => span.Count), spans.Max(span => span.Visible));
    }

    private static HeadShape Shape(LanguageModelConfig config) => new(config.Heads, config.KeyValueHeads, config.HeadSize);

    private static nint At(Tensor tensor) => StableShim.Address(tensor.Handle);
}
