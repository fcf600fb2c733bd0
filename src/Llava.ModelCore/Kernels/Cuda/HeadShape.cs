namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>Attention heads of a decoder.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="Shared">Heads that keys and values have: a divisor of <paramref name="Heads"/>.</param>
/// <param name="Size">Of a head.</param>
internal readonly record struct HeadShape(int Heads, int Shared, int Size)
{
    /// <summary>The largest head that the kernels take.</summary>
    public const int MaxSize = 128;

    private const int SizeStep = 16;

    /// <summary>Query heads that share a key head.</summary>
    public int Group => Heads / Shared;

    /// <summary>Whether the kernels take it; torch's operations take any.</summary>
    public bool IsSupported => Shared > 0 && Heads > 0 && Heads % Shared == 0 && Size is > 0 and <= MaxSize && Size % SizeStep == 0;

    /// <summary>Refuses a shape that the kernels do not take.</summary>
    /// <exception cref="NotSupportedException">The message has the shape.</exception>
    public void ThrowIfNotSupported()
    {
        if (!IsSupported)
        {
            throw new NotSupportedException($"{this}: heads of 16 to {MaxSize} numbers in steps of {SizeStep} are supported, shared by whole groups.");
        }
    }
}
