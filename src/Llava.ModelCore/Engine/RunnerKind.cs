namespace Llava.ModelCore.Engine;

/// <summary>What computes the language model.</summary>
public enum RunnerKind
{
    /// <summary>The CUDA runner where <see cref="EngineOptions.Device"/> names a device, otherwise our own kernels on the CPU.</summary>
    Auto,

    /// <summary>The reference: torch in float32. Slow and obviously right; takes no quantization.</summary>
    Torch,

    /// <summary>Our own kernels on the CPU.</summary>
    Cpu,

    /// <summary>A CUDA device, in bfloat16 (docs/gpu.md).</summary>
    Cuda,
}
