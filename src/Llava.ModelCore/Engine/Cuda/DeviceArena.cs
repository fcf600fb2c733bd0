using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Cuda;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Keys and values on a device, as our kernels see them, and as everything else does.</summary>
internal abstract class DeviceArena : IDisposable
{
    /// <summary>An arena of the kind that the options ask for.</summary>
    /// <exception cref="EngineOptionsException">See <see cref="RequireSupported"/>.</exception>
    public static DeviceArena Create(CudaSession session, LanguageModelConfig config, int positions, CudaOptions options) => options.KvCache == KvCacheType.Fp8
        ? new Fp8Arena(session, config, positions)
        : new HalfArena(session, config, positions);

    /// <summary>Bytes of one position in all layers.</summary>
    public static long BytesPerPosition(LanguageModelConfig config, KvCacheType type) => type == KvCacheType.Fp8
        ? Fp8Arena.BytesPerPosition(config)
        : KvArena.BytesPerPosition(config, sizeof(ushort));

    /// <summary>Refuses a model whose keys and values cannot be kept as the options ask for.</summary>
    /// <exception cref="EngineOptionsException">The message says what to do.</exception>
    public static void RequireSupported(LanguageModelConfig config, CudaOptions options)
    {
        if (options.KvCache == KvCacheType.Fp8)
        {
            Fp8Arena.RequireSupported(config);
        }
    }

    /// <summary>A layer, for kernels.</summary>
    public abstract KvLayer Layer(int layer);

    /// <summary>Stores (rows, key-value heads, head size) of any type at the given positions, int64 (rows).</summary>
    public abstract void Write(int layer, Tensor positions, Tensor keys, Tensor values);

    /// <summary>Where layers can be read as bfloat16, at the same positions.</summary>
    public abstract KvArena Plain { get; }

    /// <summary>Makes a few spans of a layer readable, until the next layer is made so.</summary>
    /// <param name="layer">Which.</param>
    /// <param name="pass">The pass.</param>
    /// <param name="firstSpan">The first of its spans that is read; all behind it are.</param>
    /// <returns>The layer's number in <see cref="Plain"/>.</returns>
    public abstract int MakeReadable(int layer, DevicePass pass, int firstSpan);

    /// <summary>Copies positions of all layers from one extent into another.</summary>
    public abstract void Copy(int source, int target, int count);

    /// <inheritdoc/>
    public abstract void Dispose();
}
