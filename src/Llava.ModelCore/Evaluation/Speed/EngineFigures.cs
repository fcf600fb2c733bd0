namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>How fast one case was, beside the reference runner where it ran too.</summary>
public sealed record EngineFigures
{
    /// <summary>Name of the shape.</summary>
    public required string Shape { get; init; }

    /// <summary>How the weights are kept.</summary>
    public required string Scheme { get; init; }

    /// <summary>The kernel of integer products; the float ones have one kernel only.</summary>
    public required string Kernel { get; init; }

    /// <summary>Threads.</summary>
    public required int Threads { get; init; }

    /// <summary>prefill, or decode.</summary>
    public required string Phase { get; init; }

    /// <summary>Prompt tokens of a prefill, or sequences that decode together.</summary>
    public required int Batch { get; init; }

    /// <summary>Positions that each decoding sequence has behind it.</summary>
    public required int Context { get; init; }

    /// <summary>Steps or prompts of which the median counts.</summary>
    public required int Rounds { get; init; }

    /// <summary>Median.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Tokens by the processor time of all threads: what is left of the speed's error when others use the machine too.</summary>
    public required double TokensPerCpuSecond { get; init; }

    /// <summary>The reference's; null when it was left out.</summary>
    public double? ReferenceTokensPerCpuSecond { get; init; }

    /// <summary><see cref="TokensPerCpuSecond"/> by <see cref="ReferenceTokensPerCpuSecond"/>.</summary>
    public double? CpuRatio => TokensPerCpuSecond / ReferenceTokensPerCpuSecond;

    /// <summary>Of the torch runner in float32, in turn with this in the same run; null when it was left out.</summary>
    public double? ReferenceTokensPerSecond { get; init; }

    /// <summary><see cref="TokensPerSecond"/> by <see cref="ReferenceTokensPerSecond"/>.</summary>
    public double? Ratio => TokensPerSecond / ReferenceTokensPerSecond;

    /// <summary>
    /// Time that this machine's limits allow, by the time it took: the longer of reading weights and cache once, and of the products. Null where
    /// the limit of the products is not measured (float weights, processors without 512-bit VNNI).
    /// </summary>
    public double? ShareOfRoofline { get; init; }

    /// <summary>Managed bytes of a step, of the runner alone.</summary>
    public required long AllocatedBytesPerStep { get; init; }
}
