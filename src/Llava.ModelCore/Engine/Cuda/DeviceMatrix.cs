using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A weight matrix on a device, which may be several of a checkpoint below each other, so that one product serves them all.</summary>
internal abstract class DeviceMatrix : IDisposable
{
    /// <summary>Bytes of it.</summary>
    public abstract long Bytes { get; }

    /// <summary>Whether it takes its input in eight bits, which whoever makes the input has to know; libtorch may allocate for its product.</summary>
    public virtual bool TakesFp8 => false;

    /// <summary>output = input · weightᵀ. Nothing else is allocated on the device for it, so that it can be recorded in a graph.</summary>
    /// <param name="input">(rows, inputs).</param>
    /// <param name="output">bfloat16 (rows, outputs), written.</param>
    public abstract void Multiply(DeviceRows input, Tensor output);

    /// <inheritdoc/>
    public abstract void Dispose();
}
