using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A weight matrix on a device, which may be several of a checkpoint below each other, so that one product serves them all.</summary>
internal abstract class DeviceMatrix : IDisposable
{
    /// <summary>Bytes of it.</summary>
    public abstract long Bytes { get; }

    /// <summary>output = input · weightᵀ. Nothing is allocated on the device for it, so that it can be recorded in a graph.</summary>
    /// <param name="input">bfloat16 (rows, inputs).</param>
    /// <param name="output">bfloat16 (rows, outputs), written.</param>
    public abstract void Multiply(Tensor input, Tensor output);

    /// <inheritdoc/>
    public abstract void Dispose();
}
