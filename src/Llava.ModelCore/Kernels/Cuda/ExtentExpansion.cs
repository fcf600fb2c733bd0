namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>Makes bfloat16 of the keys and values of a few extents, which lie in codes of eight bits. Pointers are the device's.</summary>
/// <param name="From">Codes.</param>
/// <param name="To">bfloat16, of the same positions; written where the extents lie.</param>
/// <param name="Starts">int32 (extents): where each starts.</param>
/// <param name="Lengths">int32 (extents): positions that are wanted.</param>
internal readonly record struct ExtentExpansion(KvLayer From, KvLayer To, nint Starts, nint Lengths)
{
    private const int Threads = 256;

    /// <summary>Puts it into the stream.</summary>
    /// <param name="kernels">The device's.</param>
    /// <param name="extents">How many.</param>
    /// <param name="longest">At least the longest of the lengths.</param>
    /// <param name="shape">Heads.</param>
    /// <exception cref="NotSupportedException">The kernels do not take such heads.</exception>
    public void Launch(DeviceKernels kernels, int extents, int longest, HeadShape shape)
    {
        shape.ThrowIfNotSupported();
        kernels.Launch(
            "expand_extents", "expand_extents", new(longest, Threads, extents),
            From.Keys, From.Values, From.KeyScales, From.ValueScales, Starts, Lengths, To.Keys, To.Values, shape.Shared, shape.Size, From.Positions);
    }
}
