namespace Llava.ModelCore.Native.Cuda;

/// <summary>What a device can execute, as NVIDIA counts it: 8.0 is an A100, 8.9 an RTX 4090, 9.0 an H100 or H200.</summary>
public readonly record struct ComputeCapability(int Major, int Minor)
{
    /// <summary>The number in architecture names: 90 in <c>sm_90</c>.</summary>
    public int Number => (10 * Major) + Minor;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Major}.{Minor}");
}
