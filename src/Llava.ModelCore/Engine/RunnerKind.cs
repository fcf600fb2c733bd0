namespace Llava.ModelCore.Engine;

/// <summary>What computes the language model.</summary>
public enum RunnerKind
{
    /// <summary>The fastest that is right on this machine: our own kernels on the CPU.</summary>
    Auto,

    /// <summary>The reference: torch in float32. Slow and obviously right; takes no quantization.</summary>
    Torch,

    /// <summary>Our own kernels.</summary>
    Cpu,
}
