using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Turns queries and keys by their positions and stores keys and values in the arena, by our kernel or by torch's operations.</summary>
internal sealed class DeviceRotary : IDisposable
{
    private readonly CudaSession _session;
    private readonly DeviceArena _arena;
    private readonly LanguageModelConfig _config;
    private readonly HeadShape _shape;
    private readonly RotaryAngles _angles;
    // Cosines and sines of all positions, float32 (positions, size / 2).
    private readonly (Tensor Cosines, Tensor Sines) _known;
    private (Tensor Cosines, Tensor Sines) _tables;

    public DeviceRotary(CudaSession session, CudaOptions options, LanguageModelConfig config, DeviceArena arena)
    {
        (_session, _arena, _config) = (session, arena, config);
        (_shape, _angles) = (new HeadShape(config.Heads, config.KeyValueHeads, config.HeadSize), new RotaryAngles(config));
        UsesKernel = options.FusedRotary && _shape.IsSupported;
        var (cosines, sines) = Tables([.. Enumerable.Range(0, LanguageModelPositions.Limit(config)).Select(position => (position, 0))]);
        _known = (cosines.DetachFromDisposeScope(), sines.DetachFromDisposeScope());
    }

    /// <summary>Whether our kernel does it.</summary>
    public bool UsesKernel { get; }

    /// <summary>Finds the angles of a pass, which all layers share.</summary>
    public void Begin(DevicePass pass)
    {
        _tables = _known;
        if (pass.OwnAngles.Count > 0)
        {
            var (cosines, sines) = Tables(pass.OwnAngles);
            _tables = (cat([_known.Cosines, cosines], 0), cat([_known.Sines, sines], 0));
        }
    }

    /// <summary>Turns and stores for one layer.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="pass">The rows.</param>
    /// <param name="merged">(rows, (heads + 2 · shared) · size).</param>
    /// <param name="queries">(rows, heads · size), written.</param>
    public void Append(int layer, DevicePass pass, Tensor merged, Tensor queries)
    {
        if (UsesKernel)
        {
            new RotaryAppend(
                At(merged), At(_tables.Cosines), At(_tables.Sines), pass.Block.Address(pass.Angles), pass.Block.Address(pass.Slots), At(queries), _arena.Layer(layer))
                .Launch(_session.Kernels, pass.Rows, _shape);
            return;
        }

        var heads = merged.view(pass.Rows, -1, _config.HeadSize);
        var turned = Turned(heads.narrow(1, 0, _config.Heads + _config.KeyValueHeads), pass.Block[pass.Angles]);
        queries.view(pass.Rows, _config.Heads, -1).copy_(turned.narrow(1, 0, _config.Heads));
        var (keys, values) = (turned.narrow(1, _config.Heads, _config.KeyValueHeads), heads.narrow(1, _config.Heads + _config.KeyValueHeads, _config.KeyValueHeads));
        _arena.Write(layer, pass.Block[pass.Slots].to(ScalarType.Int64), keys, values);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _known.Cosines.Dispose();
        _known.Sines.Dispose();
    }

    /// <summary>(rows, heads, size) turned, float32.</summary>
    private Tensor Turned(Tensor heads, Tensor angles)
    {
        var half = _config.HeadSize / 2;
        var (cosines, sines) = (_tables.Cosines.index_select(0, angles).unsqueeze(1), _tables.Sines.index_select(0, angles).unsqueeze(1)); // (rows, 1, half)
        var (first, second) = (heads.narrow(2, 0, half).to(ScalarType.Float32), heads.narrow(2, half, half).to(ScalarType.Float32));
        return cat([(first * cosines).add(second * sines, Scalars.Of(-1)), (second * cosines).add(first * sines, Scalars.One)], 2);
    }

    private unsafe (Tensor Cosines, Tensor Sines) Tables(IReadOnlyList<(int Position, int Longest)> lines)
    {
        var (cosines, sines) = (new float[lines.Count * _angles.Count], new float[lines.Count * _angles.Count]);
        fixed (float* cosine = cosines, sine = sines)
        {
            for (var i = 0; i < lines.Count; i++)
            {
                _angles.At(lines[i].Position, lines[i].Longest, cosine + (i * _angles.Count), sine + (i * _angles.Count));
            }
        }

        return (OnDevice(cosines), OnDevice(sines));

        Tensor OnDevice(float[] numbers) => tensor(numbers, [lines.Count, _angles.Count], device: _session.Device);
    }

    private static nint At(Tensor tensor) => StableShim.Address(tensor.Handle);
}
